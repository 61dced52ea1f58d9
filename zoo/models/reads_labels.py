"""How `fit` of a classifier reads labels and class weights, by name unless it is told otherwise."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from zoo.models.checks import short
from zoo.models.labels import balanced_weights, class_numbers, label_column
from zoo.models.raw_data import split_rows


class ReadsLabels:
    """What a `ZooModel` of `labels` has before it: its second column is `label_column(labels)`."""

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *args: Any,
        class_weight: dict | str | None = None,
        labels_are_numbers: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Trains as `ZooModel.fit` does, on labels by name.

        Args:
            x: As of `ZooModel.fit`.
            y: As of `ZooModel.fit`.
            *args: As of `ZooModel.fit`.
            class_weight: How much the rows of a class count: a dict by label or by number, in
                which a class that is left out weighs 1; or `"balanced"`: all classes of the
                training rows, which are lists or arrays, count alike.
            labels_are_numbers: Take integers as places in `labels`, from 0. Without it they are
                taken only of models with the labels of the presets, and of models whose labels are
                numbers, such as "1" to "5": there 5 is "5".
            **kwargs: As of `ZooModel.fit`.

        Raises:
            TypeError: `class_weight` is something else.
            ValueError: `class_weight` names a class that is none, or is `"balanced"` with a data
                set; or labels are integers that may have been counted in another order.
        """
        with self._reading_numbers(labels_are_numbers):
            if isinstance(class_weight, str) and class_weight == "balanced":
                class_weight = self._balanced(x, y, **kwargs)
            elif class_weight is not None:
                class_weight = class_numbers(self.labels, class_weight)
            return super().fit(x, y, *args, class_weight=class_weight, **kwargs)

    def _balanced(
        self,
        x: Any,
        y: Any,
        validation_split: float = 0.0,
        validation_data: Any = None,
        **kwargs: Any,
    ) -> dict[int, float]:
        if isinstance(x, tf.data.Dataset | keras.utils.PyDataset | Iterator):
            raise ValueError(
                '`class_weight="balanced"` needs lists or arrays, to count their labels: with a '
                f"data set give a dict of weights by label. Received: x={short(x)}"
            )
        columns = self._raw_data().in_memory(x, y, None)
        if validation_split and validation_data is None:
            columns, _ = split_rows(columns, validation_split)
        return balanced_weights(self.labels, columns[1])

    def evaluate(self, *args: Any, labels_are_numbers: bool = False, **kwargs: Any) -> Any:
        """Loss and metrics on raw data; arguments as of `fit`."""
        with self._reading_numbers(labels_are_numbers):
            return super().evaluate(*args, **kwargs)

    def evaluate_report(self, *args: Any, labels_are_numbers: bool = False, **kwargs: Any) -> Any:
        """As `ZooModel.evaluate_report`; `labels_are_numbers` as of `fit`."""
        with self._reading_numbers(labels_are_numbers):
            return self._report(self._raw_data(), *args, **kwargs)

    @contextlib.contextmanager
    def _reading_numbers(self, labels_are_numbers: bool) -> Iterator[None]:
        columns = self.columns
        if labels_are_numbers:
            self.columns = (columns[0], label_column(self.labels, numbers=True))
        try:
            yield
        finally:
            self.columns = columns
