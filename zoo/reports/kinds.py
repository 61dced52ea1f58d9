"""Reports of all kinds, made again of their plain values."""

import importlib
from collections.abc import Mapping
from typing import Any

from zoo.reports.base import Report

KINDS = {
    "classification": "classification.ClassificationReport",
    "multi_label_classification": "classification.MultiLabelReport",
    "tagging": "tagging.TaggingReport",
    "writing": "writing.WritingReport",
    "forecasting": "forecasting.ForecastReport",
    "language_modelling": "language_modelling.LanguageModelReport",
}


def report_of(values: Mapping[str, Any]) -> Report:
    """The report that gave these values by `to_dict()`.

    Args:
        values: As `to_dict` gave them, perhaps by way of JSON.

    Raises:
        ValueError: They are of no kind that there is.
    """
    if values.get("kind") not in KINDS:
        raise ValueError(
            f"`values` must have a `kind`, one of {', '.join(KINDS)}. "
            f"Received: kind={values.get('kind')!r}"
        )
    module, name = KINDS[values["kind"]].split(".")
    # When it is asked for: one of them needs TensorFlow.
    kind = getattr(importlib.import_module(f"zoo.reports.{module}"), name)
    return kind({key: value for key, value in values.items() if key != "kind"})
