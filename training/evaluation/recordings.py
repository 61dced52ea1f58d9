"""Measures a classifier of recordings beside a linear one: accuracy, by speaker, speed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from zoo.extras import extra
from zoo.training.corpora import catalogue
from zoo.training.corpora.fsdd import Spoken
from zoo.training.evaluation.base import Evaluation, Table, check_splits, markdown_table
from zoo.training.evaluation.classification import accuracy
from zoo.training.metrics.speed import latency, throughput

with extra("training"):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import StandardScaler

# Ours to choose by, and the official one, which is measured once.
SPLITS = ("fsdd_dev", "fsdd_test")
BATCH_SIZE = 64
METHODS = {"model": "BiLSTM", "linear": "logistic regression"}


def evaluate(
    model: Any,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    verify: bool = True,
    recipe: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measures a classifier of spoken digits.

    Args:
        model: A `zoo.models.AudioClassifier` of the labels "0" to "9".
        data_dir: A folder with the corpus; None downloads it.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published corpus.
        recipe: What the model was trained by: the linear one does without the same speaker.

    Returns:
        Plain values, ready for JSON. For each split: how many recordings, accuracy in percent and
        its 95 % interval, accuracy by speaker, the same of the linear classifier, seconds, and the
        data's SHA-256. Beside the splits the latency of one recording.

    Raises:
        ValueError: No split, an unknown one, data that is not the published corpus, or a model with
            other labels.
        FileNotFoundError: Files are missing in `data_dir`.

    Example:
        >>> metrics = evaluate(zoo.load("spoken_digits"), "fsdd")  # doctest: +SKIP
        >>> metrics["splits"]["fsdd_test"]["accuracy"]  # doctest: +SKIP
    """
    check_splits(splits, SPLITS)
    parts = {name: catalogue.split(name) for name in splits}
    data = {name: part.load(data_dir, verify) for name, part in parts.items()}
    if unknown := {label for of in data.values() for label in of.labels} - {*model.labels}:
        raise ValueError(
            f"`model` must know the labels {', '.join(sorted(unknown))} of the corpus. "
            f"Received: labels={model.labels}"
        )
    without = (recipe or {}).get("without_speaker", "")
    linear = _linear(model, catalogue.corpus("fsdd").load(data_dir, "train", verify), without)
    measured = {}
    for name, spoken in data.items():
        model.classify(spoken.audio[:BATCH_SIZE])  # traces it: not part of the speed
        answers, speed = throughput(model.classify, spoken.audio, "recordings")
        right = {
            "model": [a.label == of for a, of in zip(answers, spoken.labels, strict=True)],
            "linear": linear.predict(features(model, spoken.audio)) == np.array(spoken.labels),
        }
        methods = {key: _figures(of, spoken.speakers) for key, of in right.items()}
        measured[name] = {
            "recordings": len(spoken.audio),
            **{key: methods["model"][key] for key in ("accuracy", "low", "high")},
            "methods": methods,
            **speed,
            **parts[name].provenance(spoken),
        }
    first = next(iter(data.values()))
    return {
        "batch_size": BATCH_SIZE,
        "without_speaker": without,
        "splits": measured,
        "latency": latency(model.classify, first.audio, "recordings"),
    }


def features(model: Any, audio: Sequence[bytes]) -> np.ndarray:
    """What the linear classifier knows of recordings: the mean and deviation of each mel band.

    Args:
        model: Whose frames they are of.
        audio: Contents of WAV files.

    Returns:
        float32 `[recordings, 2 * bands]`.
    """
    found = model.run_graph(model.make_inputs, tf.constant(audio))
    rows = [row[:length] for row, length in zip(*found.values(), strict=True)]
    return np.array([np.concatenate([row.mean(0), row.std(0)]) for row in rows])


def _linear(model: Any, spoken: Spoken, without: str) -> Pipeline:
    """Logistic regression, trained on the same recordings as the model."""
    kept = [at for at, speaker in enumerate(spoken.speakers) if speaker != without]
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    audio, labels = ([column[at] for at in kept] for column in (spoken.audio, spoken.labels))
    return linear.fit(features(model, audio), np.array(labels))


def _figures(right: Sequence[bool], speakers: Sequence[str]) -> dict[str, Any]:
    by_speaker = {
        name: round(
            100 * float(np.mean([r for r, s in zip(right, speakers, strict=True) if s == name])), 2
        )
        for name in sorted({*speakers})
    }
    return {**accuracy(right), "by_speaker": by_speaker}


def table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of the figures for a terminal: a row for each method on each split."""
    splits = metrics["splits"]
    speakers = next(iter(splits.values()))["methods"]["model"]["by_speaker"]
    header = ["split", "method", "recordings", "accuracy", "95 % interval", *speakers]
    rows = []
    for split, of in splits.items():
        for key, method in METHODS.items():
            found = of["methods"][key]
            rows.append(
                [
                    split,
                    method,
                    f"{of['recordings']:,}",
                    f"{found['accuracy']:.2f}",
                    f"{found['low']:.2f} to {found['high']:.2f}",
                    *(f"{value:.1f}" for value in found["by_speaker"].values()),
                ]
            )
    return header, rows


def quality_section(metrics: Mapping[str, Any]) -> str:
    """The figures, and what they are of."""
    without = metrics["without_speaker"]
    strangers = (
        f"Neither was trained on {without}: that column is how well a stranger is understood."
        if without
        else "All speakers were trained on, in other recordings."
    )
    return f"""Accuracy in percent, with Wilson's 95 % interval, and by speaker. `fsdd_dev` was used to choose the
epoch, `fsdd_test`, the official test split, was not. {strangers}
The linear classifier knows the mean and the deviation of each mel band over the recording, so
nothing of the order of sounds; it was trained on the same recordings.

{markdown_table(*table(metrics))}"""  # noqa: E501 - the card's own lines


EVALUATION = Evaluation(
    splits=SPLITS,
    measure=evaluate,
    table=table,
    quality=quality_section,
    example='model.classify("seven.wav").label',
    chosen_by="accuracy on dev, which was held out of the training split, and the probability of "
    "what was said",
    way="From the bytes of a WAV to a label",
    unit="recordings",
    libraries=("scikit-learn",),
)
