"""How `fit` of a classifier reads labels and class weights, by name unless it is told otherwise."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from zoo.models.checks import short
from zoo.models.class_weights import weighed
from zoo.models.columns import read_columns
from zoo.models.raw_data import RawData
from zoo.models.raw_rows import is_in_memory, split_rows

if TYPE_CHECKING:
    from zoo.models.label_heads import OneLabel, SeveralLabels


class ReadsLabels:
    """What a `ZooModel` of `labels` has before it: its second column is `head.column()`."""

    head: "OneLabel | SeveralLabels"

    def fit(
        self,
        x: object = None,
        y: object = None,
        batch_size: int = 32,
        validation_split: float = 0.0,
        validation_data: object = None,
        shuffle: bool = True,
        sample_weight: object = None,
        validation_batch_size: int | None = None,
        class_weight: dict | str | None = None,
        labels_are_numbers: bool = False,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains as `ZooModel.fit` does, on labels by name.

        Args:
            x: As of `ZooModel.fit`.
            y: As of `ZooModel.fit`. With `multi_label=True` a list or set of names for each text,
                which may be empty; or 0 and 1 for each label, an array `[rows, labels]` in the
                order of `labels`, or a data frame whose columns they are.
            batch_size: As of `ZooModel.fit`.
            validation_split: As of `ZooModel.fit`.
            validation_data: As of `ZooModel.fit`.
            shuffle: As of `ZooModel.fit`.
            sample_weight: As of `ZooModel.fit`; it is multiplied with the weight of the class.
            validation_batch_size: As of `ZooModel.fit`.
            class_weight: How much the rows of a class count in training: a dict by label or by
                number, in which a class that is left out weighs 1; or `"balanced"`: all classes of
                the training rows, which are lists or arrays, count alike. With
                `multi_label=True`, how much the texts that have a label count in the decision
                about it; balanced are then those with and those without it.
            labels_are_numbers: Take integers as places in `labels`, from 0. Without it they are
                taken only of models with the labels of the presets, and of models whose labels are
                numbers, such as "1" to "5": there 5 is "5".
            **kwargs: As of `ZooModel.fit`.

        Returns:
            The history of losses and metrics.

        Raises:
            TypeError: `class_weight` is something else.
            ValueError: `class_weight` names a class that is none, or is `"balanced"` with a data
                set; or labels are integers that may have been counted in another order.
        """
        raw = self._raw_data(labels_are_numbers)
        training = None
        if is_in_memory(x):
            # Read here, and not once more: the labels are counted.
            x, y, sample_weight = raw.in_memory(x, y, sample_weight), None, None
            training = x
            if validation_split and validation_data is None:
                training, _ = split_rows(x, validation_split)
            self.head.check(training[1])
        return self._fit(
            raw,
            self._weigh(class_weight, x, training),
            x,
            y,
            batch_size=batch_size,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            sample_weight=sample_weight,
            validation_batch_size=validation_batch_size,
            **kwargs,
        )

    def evaluate(self, *args: Any, labels_are_numbers: bool = False, **kwargs: Any) -> Any:
        """Loss and metrics on raw data; arguments as of `fit`."""
        return self._evaluate(self._raw_data(labels_are_numbers), *args, **kwargs)

    def evaluate_report(self, *args: Any, labels_are_numbers: bool = False, **kwargs: Any) -> Any:
        """As `ZooModel.evaluate_report`; `labels_are_numbers` as of `fit`."""
        return self._report(self._raw_data(labels_are_numbers), *args, **kwargs)

    def _raw_data(self, labels_are_numbers: bool = False) -> RawData:
        """How this call reads raw data; what it is told stays with it, not with the model."""
        raw = super()._raw_data()
        if labels_are_numbers:
            raw.rows.columns = (self.columns[0], self.head.column(numbers=True))
            raw.rows.read = functools.partial(read_columns, raw.rows.columns)
        return raw

    def _weigh(
        self, class_weight: dict | str | None, x: object, training: tuple | None
    ) -> Callable[[object], object] | None:
        """What puts the weights of classes on prepared batches; `training`: rows in memory."""
        if class_weight is None:
            return None
        if isinstance(class_weight, str) and class_weight == "balanced":
            if training is None:
                raise ValueError(
                    '`class_weight="balanced"` needs lists or arrays, to count their labels: with '
                    f"a data set give a dict of weights by label. Received: x={short(x)}"
                )
            weights = self.head.balanced_weights(training[1])
        else:
            weights = self.head.weights(class_weight)
        self.head.check_loss(self.loss)
        return functools.partial(
            weighed, weights_of=functools.partial(self.head.weights_of, weights)
        )
