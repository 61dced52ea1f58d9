"""Every stage of an export, from top to bottom: `saved_model`."""

import os
from pathlib import Path

import keras
import tensorflow as tf

from zoo.export import card as cards
from zoo.export import graph, operations, verification, warmup
from zoo.export import signatures as offered
from zoo.export.publication import Publication


def saved_model(
    model: keras.Model | tf.Module,
    base_dir: str | os.PathLike,
    version: int | None = None,
    verify: bool = True,
    card: str | None = None,
) -> Path:
    """Exports a model as a version that TensorFlow Serving can load.

    The version appears under `base_dir` whole or not at all; versions that are there already are
    never touched.

    Args:
        model: A Keras model or `tf.Module` with
            `signatures() -> dict[str, zoo.models.base.Signature]`, one of them
            `serving_default`.
        base_dir: Local directory of the model's versions; made when missing.
        version: Number of the version, at least 1. None takes the highest published one plus 1.
        verify: Whether to run the result in a fresh process, through the Session path that
            TensorFlow Serving takes, and compare it with the model before publishing. Costs
            a start of TensorFlow.
        card: The model card, Markdown, to be kept in the version's `assets.extra/card.md`.

    Returns:
        The directory of the new version.

    Raises:
        ExportError: The model's signatures, operations or results will not do.
        FileExistsError: The version exists.
        TypeError: `version` is not a whole number.
        ValueError: `version` is less than 1, or `base_dir` is a URL.
        OSError: `base_dir` is a file or cannot be written, or the disk is full.
        ImportError: TensorFlow Serving's protos (`rnn-zoo[serving]`) are not installed.

    Example:
        path = zoo.export.saved_model(zoo.load("my_model"), "models/my_model")
    """
    publication = Publication(base_dir, version)
    signatures = offered.of(model)
    requests = warmup.logs(signatures)
    with publication:
        graph.write(model, signatures, publication.folder)
        operations.check(publication.folder)
        warmup.write(requests, publication.folder)
        if card is not None:
            cards.write(card, publication.folder)
        if verify:
            verification.verify(signatures, publication.folder)
        return publication.publish()
