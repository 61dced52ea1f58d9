"""Measures a preset on its data and writes down what came out: `metrics.json` and `card.md`."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import zoo
from zoo.files import write_atomically
from zoo.presets import CARD, CONFIG, WEIGHTS, model_card, preset_folder, read_config
from zoo.shipped import METRICS
from zoo.training.evaluation.card import card_text
from zoo.training.evaluation.lookup import evaluation_of, recipe_of

LIBRARIES = ("keras", "numpy", "tensorflow", "tensorflow-text")


def evaluate(
    name_or_folder: str | Path,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = (),
    verify: bool = True,
    **options: Any,
) -> dict[str, Any]:
    """Measures a preset.

    Args:
        name_or_folder: A preset, as `zoo.load` takes it.
        data_dir: A folder with its corpus; None downloads it.
        splits: Splits to measure; none means those of its recipe's data.
        verify: Whether the data must be the published corpus.
        **options: What its evaluation takes, such as `beam_size`.

    Returns:
        Plain values, ready for JSON; see `measure` of `zoo.training.evaluation.base.Evaluation`.

    Raises:
        ValueError: Unknown preset or split, or data that is not the published corpus.
        FileNotFoundError: Files are missing.
    """
    config = read_config(name_or_folder)
    evaluation, recipe = evaluation_of(config), recipe_of(config)
    splits = splits or evaluation.default_splits(recipe)
    model = zoo.load(name_or_folder)
    metrics = evaluation.measure(model, data_dir, splits, verify, recipe=recipe, **options)
    libraries = (*LIBRARIES, *evaluation.libraries)
    return {
        "parameters": int(model.count_params()),
        **metrics,
        "versions": {
            "rnn-zoo": zoo.__version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in libraries},
        },
        "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
    }


def write_report(name_or_folder: str | Path, metrics: Mapping[str, Any], command: str) -> Path:
    """Writes `metrics.json` and the model card made from it into a preset's folder.

    Args:
        name_or_folder: A preset, as `zoo.load` takes it.
        metrics: What `evaluate` gave.
        command: The command line that measured.

    Returns:
        The path of `metrics.json`; `card.md` is beside it.

    Raises:
        ValueError: Unknown preset, a damaged `config.json`, or a model that nothing measures.
        OSError: The folder cannot be written; each file there stays whole.
    """
    folder, config = preset_folder(name_or_folder), read_config(name_or_folder)
    metrics = {
        "model": config["model"],
        # Ties the figures to these very weights.
        "weights_sha256": config["files"][WEIGHTS],
        "command": command,
        # How it was trained, seed and all; None for a model that was saved by hand.
        "training": config.get("training"),
        **metrics,
    }
    card = card_text(config, metrics)
    text = json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / METRICS, text.encode())
    write_atomically(folder / CARD, card.encode())
    return folder / METRICS


def keep_report(name_or_folder: str | Path, figures: Mapping[str, Any]) -> Path:
    """Puts a report on rows of one's own into the folder of a model that `zoo.save` wrote.

    It goes into `config.json` and the card, as if the model had been measured before it was saved;
    a `metrics.json` stays as it is.

    Args:
        name_or_folder: As `zoo.load` takes it.
        figures: `to_dict()` of the report.

    Returns:
        The path of the card.

    Raises:
        ValueError: A preset that a recipe trained: its card is of its corpus's figures.
        OSError: The folder cannot be written; each file there stays whole.
    """
    folder, config = preset_folder(name_or_folder), read_config(name_or_folder)
    if "provenance" not in config or "recipe" in (config.get("training") or {}):
        raise ValueError(
            "--card is for models of your own, which `zoo.save` wrote. "
            f"Received: {str(name_or_folder)!r}"
        )
    config["provenance"]["report"] = dict(figures)
    if (folder / METRICS).is_file():
        card = card_text(config, read_metrics(folder))
    else:
        card = model_card.card_text(folder.resolve().name, config)
    write_atomically(folder / CONFIG, (json.dumps(config, indent=2) + "\n").encode())
    write_atomically(folder / CARD, card.encode())
    return folder / CARD


def read_metrics(path: str | Path, keys: Sequence[str] = ("splits",)) -> dict[str, Any]:
    """Reads a `metrics.json`.

    Args:
        path: The file, or the preset's folder that holds it.
        keys: Entries that the caller needs.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not what `write_report` writes, or measures of another task.
    """
    path = Path(path)
    path = path / METRICS if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: `zoo-train evaluate` writes it")
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        missing = {"model", *keys} - metrics.keys()
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}): `zoo-train evaluate` anew") from error
    if missing:
        raise ValueError(
            f"{path} lacks {', '.join(sorted(missing))}: `zoo-train evaluate` writes it anew"
        )
    return metrics
