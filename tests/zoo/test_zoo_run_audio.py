"""`zoo run` of a model that hears: files, lines, JSON and the picture; what is refused."""

import json

import pytest
from click.testing import CliRunner

import zoo
from tests.zoo.audio.recordings import notes, pcm
from tests.zoo.models.tiny_audio import tiny_classifier
from zoo.__main__ import main


@pytest.fixture(scope="module")
def model():
    return tiny_classifier()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory):
    return str(zoo.save(model, tmp_path_factory.mktemp("audio") / "tiny", half=False))


@pytest.fixture
def run(folder, model, monkeypatch, tmp_path):
    monkeypatch.setattr(zoo, "load", lambda name: model)  # its graphs are traced once
    monkeypatch.chdir(tmp_path)
    (tmp_path / "low.wav").write_bytes(pcm(notes(pitch=200.0)))
    (tmp_path / "high.wav").write_bytes(pcm(notes(pitch=1500.0)))
    (tmp_path / "cut.wav").write_bytes(pcm(notes())[:-9])
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_bytes(b"no sound")

    def run(*arguments, **options):
        return CliRunner().invoke(main, ["run", folder, *arguments], **options)

    return run


def test_a_file_gets_its_label_and_a_picture(run, model, tmp_path):
    done = run("low.wav", "--plot", "heard.svg")
    assert done.exit_code == 0, done.output
    answer = model.classify("low.wav")
    assert done.stdout == f"{answer.label} {answer.score:.3f}\n"
    assert done.stderr.strip() == "Spectrogram: heard.svg"
    assert (tmp_path / "heard.svg").read_text().lstrip().startswith("<?xml")


def test_several_are_named_and_json_has_all(run, model):
    labels = [model.classify(name).label for name in ("low.wav", "high.wav")]
    lines = run("low.wav", "high.wav").stdout.splitlines()
    assert [line.rsplit(" ", 1)[0] for line in lines] == [
        f"low.wav: {labels[0]}",
        f"high.wav: {labels[1]}",
    ]
    rows = [json.loads(line) for line in run("--json", input="low.wav\nhigh.wav\n").stdout.splitlines()]  # fmt: skip  # noqa: E501
    assert [row["audio"] for row in rows] == ["low.wav", "high.wav"]
    assert [row["label"] for row in rows] == labels
    assert rows[0]["probabilities"].keys() == {"low", "high"}
    assert "text" not in rows[0]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["cut.wav"], 1, "is a WAV whose end is missing"),
        (["empty.wav"], 1, "must hold a recording. Received: no bytes"),
        (["text.wav"], 1, "must hold a recording; WAV is decoded. Received: 8 bytes"),
        (["none.wav"], 1, "'none.wav', which is not there"),
        (["."], 1, "a folder: hand over the files in it"),
        (
            ["low.wav", "--attention", "a.png"],
            2,
            "--attention is not for a model that can classify",
        ),
        (["low.wav", "high.wav", "--plot", "a.png"], 2, "--plot draws one series or recording"),
        (["low.wav", "--plot", "a.txt"], 1, "must end with .png"),
    ],
)
def test_what_is_refused(run, arguments, code, message):
    done = run(*arguments)
    assert (done.exit_code, message in done.output) == (code, True), done.output
