"""What is to be said of each preset that ships, without loading it: for `zoo list`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zoo.presets import WEIGHTS, preset_folder, read_config

METRICS = "metrics.json"
# What a preset is measured by: the place among a split's figures, and its name for people.
_FIGURES = (
    (("bleu", "score"), "BLEU"),
    (("accuracy",), "accuracy"),
    (("f1",), "F1"),
    (("coco", "bleu_4"), "BLEU-4"),
    (("skill",), "skill"),
    (("perplexity",), "perplexity"),
)


class Score(NamedTuple):
    """How good a preset is.

    Attributes:
        metric: `"BLEU"`, `"BLEU-4"` (of captions), `"accuracy"` or `"F1"`, from 0 to 100; or
            `"skill"`: by how many percent a forecast errs less than the seasonal-naive one; or
            `"perplexity"`: among how many words a language model wavers, so that less is better.
        value: What `zoo-train evaluate` measured.
        split: On what.
    """

    metric: str
    value: float
    split: str


class Shipped(NamedTuple):
    """One preset.

    Attributes:
        name: For `zoo.load`.
        task: The verb of its model.
        languages: Of its texts, ISO 639-1; for a translator from and to.
        score: On its test set; None if nobody has measured it.
        licence: What its training data allows, in a few words; its card has them all.
        megabytes: Size of the weights.
    """

    name: str
    task: str
    languages: list[str]
    score: Score | None
    licence: str
    megabytes: float


def shipped(name: str) -> Shipped:
    """What is to be said of a preset that ships.

    Raises:
        OSError: A file is missing.
        ValueError: Its `config.json` or `metrics.json` is damaged.
    """
    config, folder = read_config(name), preset_folder(name)
    return Shipped(
        name,
        config.get("task", ""),
        config.get("languages", []),
        _score(folder / METRICS),
        config.get("licence", ""),
        (folder / WEIGHTS).stat().st_size / 1e6,
    )


def _score(path: Path) -> Score | None:
    if not path.is_file():
        return None
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))["splits"]
        scores = [found for split, of in splits.items() if (found := _figure(split, of))]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
    # Where no split is called a test, the last one was kept for the end.
    tests = [score for score in scores if "test" in score.split] or scores[-1:]
    return tests[0] if tests else None


def _figure(split: str, figures: Mapping[str, Any]) -> Score | None:
    for place, metric in _FIGURES:
        value: Any = figures
        for key in place:
            value = value.get(key) if isinstance(value, Mapping) else None
        if isinstance(value, int | float):
            return Score(metric, float(value), split)
    return None
