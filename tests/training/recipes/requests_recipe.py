"""A recipe in a user's own package, as short as one can be: is a request a bug or a feature?"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from zoo.models.text_classifier import TextClassifier
from zoo.text.vocabulary import WordVocabulary
from zoo.training.evaluation.base import Evaluation
from zoo.training.loop.batches import raw_batches
from zoo.training.loop.runs import averaging_adam, prepared, train_model
from zoo.training.loop.schedule import Schedule

REQUESTS = {"bug": ["it crashes", "saving fails"], "feature": ["please add tags", "i wish it sang"]}
TEXTS = [text for texts in REQUESTS.values() for text in texts]
LABELS = [label for label, texts in REQUESTS.items() for _ in texts]
SCHEDULE = Schedule(epochs=8, batch_size=3, learning_rate=0.1, warmup_steps=2, average_momentum=0.5)


@dataclass(frozen=True)
class Recipe:
    name: str
    model: str = "text_classifier"
    seed: int = 1
    units: int = 8
    schedule: Schedule = SCHEDULE


RECIPES = {"requests": Recipe("requests")}
OPTIONS = [
    click.Option(["--units"], type=int, help="Of the LSTM."),
    click.Option(["--shout"], is_flag=True, default=None, help="Whether texts are in capitals."),
]


def train(
    recipe: Recipe,
    out: str | Path,
    data_dir: str | Path | None = None,
    verify: bool = True,
    command: str | None = None,
    shout: bool = False,
) -> Path:
    with prepared(recipe):
        texts = [text.upper() if shout else text for text in TEXTS]
        words = WordVocabulary(sorted({word for text in TEXTS for word in text.split()}))
        model = TextClassifier(words, list(REQUESTS), embedding_units=8, units=recipe.units)
        batch_size = recipe.schedule.batch_size
        steps = -(-len(texts) // batch_size)
        model.compile(averaging_adam(recipe.schedule, steps), loss=model.loss)
        batches = raw_batches(model, (texts, LABELS), batch_size, recipe.seed)
        return train_model(model, recipe, batches, steps, out, accuracy, "accuracy", command)


def accuracy(model: TextClassifier) -> float:
    right = [a.label == label for a, label in zip(model.classify(TEXTS), LABELS, strict=True)]
    return 100 * sum(right) / len(right)


def measure(
    model: TextClassifier, data_dir: Path, splits: list[str], verify: bool, recipe: Mapping
) -> dict[str, Any]:
    return {
        "splits": {split: {"texts": len(TEXTS), "accuracy": accuracy(model)} for split in splits}
    }


EVALUATION = Evaluation(splits=("all",), measure=measure)
