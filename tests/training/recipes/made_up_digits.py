"""A folder like the Free Spoken Digit Dataset: each digit is a pitch, each speaker has his own."""

from pathlib import Path

from tests.zoo.audio.recordings import notes, pcm

SPEAKERS = {"george": 1.0, "theo": 1.07}


def write_folder(folder, recordings=(0, 5, 10, 11)):
    """Writes `recordings/`, some recordings of each digit and speaker; gives the folder."""
    inside = Path(folder) / "recordings"
    inside.mkdir(parents=True)
    for digit in range(10):
        for speaker, voice in SPEAKERS.items():
            for number in recordings:
                pitch = voice * 250 * 1.25**digit * (1 + number / 500)
                name = f"{digit}_{speaker}_{number}.wav"
                (inside / name).write_bytes(pcm(notes(seconds=0.08 + number / 500, pitch=pitch)))
    (inside / "notes.txt").write_text("no recording")
    return Path(folder)
