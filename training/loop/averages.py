"""The mean of the weights of runs that began alike: one model that is often better than each.

Wortsman et al. (2022), "Model soups", arXiv:2203.05482, and "Robust fine-tuning", arXiv:2109.01903:
the weights before and after a fine-tuning lie in one valley of the loss, and their mean keeps much
of what either can do.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from zoo.presets import WEIGHTS, read_config
from zoo.provenance import Provenance


def average(folders: Sequence[str | Path], out: str | Path, command: str | None = None) -> Path:
    """Writes a preset whose weights are the mean of those of others.

    Args:
        folders: Two or more presets of one model, as `zoo.load` takes them, with the same network
            and vocabulary. What is recorded of the training is that of the last one, and what is
            recorded of the others beside it.
        out: Folder for the result; it must not be there yet.
        command: The command line, for the model card.

    Returns:
        The folder of the result.

    Raises:
        ValueError: Fewer than two, or presets that differ in more than their weights.
        FileExistsError: `out` is there already.
    """
    if len(folders) < 2:
        raise ValueError(f"`folders` must be two or more. Received: {len(folders)}")
    configs = [read_config(folder) for folder in folders]
    for folder, config in zip(folders, configs, strict=True):
        if other := _difference(configs[-1], config):
            raise ValueError(
                "`folders` must be presets of the same network and vocabulary. Received: "
                f"{str(folder)!r}, whose {other} are not those of {str(folders[-1])!r}"
            )
    model = zoo.load(folders[-1])
    weights = [zoo.load(folder).get_weights() for folder in folders]
    model.set_weights([np.mean(of, axis=0) for of in zip(*weights, strict=True)])
    model.provenance = Provenance()
    training = configs[-1].get("training") or {}
    averaged = [_record(config) for config in configs]
    return zoo.save(
        model, out, training={**training, "averaged": averaged, "average_command": command}
    )


def _record(config: dict[str, Any]) -> dict[str, Any]:
    training = config.get("training") or {}
    of_recipe = training.get("recipe", {}).get("name"), training.get("epoch")
    return {
        "weights_sha256": config["files"][WEIGHTS],
        "recipe": of_recipe[0],
        "epoch": of_recipe[1],
    }


def _difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """What differs between presets, but for their weights; empty if nothing does."""
    for name in ("model", "config"):
        if one[name] != other[name]:
            return "arguments" if name == "config" else "models"
    files = [{n: sha for n, sha in of["files"].items() if n != WEIGHTS} for of in (one, other)]
    return "" if files[0] == files[1] else "vocabularies"
