"""The weights of an older preset folder in the form in which presets are stored today."""

import json
import shutil
from pathlib import Path

import h5py

from zoo.files import whole_folder
from zoo.presets import CARD, CONFIG, WEIGHTS, check_file, file_sha256, preset_folder, read_config
from zoo.weights.weight_file import write_small


def shrink(folder: str | Path) -> tuple[int, int]:
    """Rewrite the weights of a preset folder in the least room; all else stays as it is.

    A card that `zoo.save` wrote names the new weights. The folder is replaced as a whole: whatever
    stops it, it is the old one or the new.

    Args:
        folder: One that `zoo.save` wrote, or the name of a preset that ships.

    Returns:
        The bytes of the weights before and after.

    Raises:
        ValueError: If the folder is no preset or is damaged.
        FileNotFoundError: If a file of the preset is missing.
        OSError: If the disk is full or cannot be written.
    """
    folder = preset_folder(folder)
    config = read_config(folder)
    check_file(folder / WEIGHTS, config["files"][WEIGHTS])
    with whole_folder(folder, overwrite=True) as partial:
        shutil.copytree(folder, partial, dirs_exist_ok=True)
        with h5py.File(folder / WEIGHTS) as source, h5py.File(partial / WEIGHTS, "w") as target:
            write_small(source, target)
        before = config["files"][WEIGHTS]
        config["files"][WEIGHTS] = file_sha256(partial / WEIGHTS)
        card = partial / CARD
        # A card of measured figures goes on to name the weights that were measured.
        if card.is_file() and not (partial / "metrics.json").is_file():
            text = card.read_text(encoding="utf-8")
            card.write_text(text.replace(before, config["files"][WEIGHTS]), encoding="utf-8")
        (partial / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        sizes = tuple((of / WEIGHTS).stat().st_size for of in (folder, partial))
    return sizes
