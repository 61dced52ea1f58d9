"""Keras's methods for a single batch, and `predict`: raw data where `fit` takes them."""

from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from zoo.models.checks import short


class OneBatch:
    """What a model of the zoo has in place of Keras's methods for a batch; a mixin."""

    def train_on_batch(
        self,
        x: object = None,
        y: object = None,
        sample_weight: object = None,
        class_weight: None = None,
        return_dict: bool = False,
    ) -> Any:
        """Takes one step of training, on all rows that are given.

        Args:
            x: As of `fit`, in memory: raw columns, or what `preprocess` gives.
            y: As of `fit`.
            sample_weight: As of `fit`.
            class_weight: Must be left out: an argument of `fit`, which knows the classes by name.
            return_dict: Whether losses and metrics are given by name.

        Returns:
            The loss and metrics, of this batch alone.

        Raises:
            TypeError: Entries of a wrong type.
            ValueError: No rows, columns of different lengths, `class_weight`, or what the model
                refuses.
        """
        if class_weight is not None:
            raise ValueError(
                "`class_weight` is an argument of `fit`; for a single batch give each row its own "
                f"weight, `sample_weight`. Received: class_weight={class_weight!r}"
            )
        return super().train_on_batch(
            *self._one_batch(x, y, sample_weight), return_dict=return_dict
        )

    def test_on_batch(
        self,
        x: object = None,
        y: object = None,
        sample_weight: object = None,
        return_dict: bool = False,
    ) -> Any:
        """Loss and metrics of one batch; arguments as of `train_on_batch`."""
        return super().test_on_batch(*self._one_batch(x, y, sample_weight), return_dict=return_dict)

    def predict_on_batch(self, x: object) -> Any:
        """As `predict`, of one batch."""
        self._refuse_raw("predict_on_batch", x)
        return super().predict_on_batch(x)

    def predict(self, x: object, *args: Any, **kwargs: Any) -> Any:
        """What the network gives for preprocessed inputs; for raw data there is the verb.

        Args:
            x: The inputs that `preprocess` gives: a dict, which is one batch; or a data set,
                generator or `PyDataset` of such batches.
            *args: What else `keras.Model.predict` takes.
            **kwargs: Likewise.

        Raises:
            TypeError: Raw data, or any lists.
        """
        if not isinstance(x, Iterator | keras.utils.PyDataset):
            self._refuse_raw("predict", x)
        if isinstance(x, dict):
            # Keras would cut it into rows, which not all inputs have: a table of spellings.
            x = tf.data.Dataset.from_tensors(x)
        return super().predict(x, *args, **kwargs)

    def _one_batch(self, x: object, y: object, sample_weight: object) -> tuple:
        raw = self._raw_data()
        if raw.is_prepared(x):
            return x, y, sample_weight
        return self._prepare(*raw.in_memory(x, y, sample_weight))

    def _refuse_raw(self, method: str, x: object) -> None:
        first = x.element_spec if isinstance(x, tf.data.Dataset) else x
        if not self._raw_data().is_prepared(first):
            raise TypeError(
                f"`{method}` takes preprocessed inputs; for raw data use `model.{self.task}(...)`. "
                f"Received: x={short(x)}"
            )
