"""How large the gradients of each layer are in training, and how often they are cut."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from zoo.models.checks import check_count
from zoo.models.summary import named_layers


class GradientNorms(keras.callbacks.Callback):
    """Writes the norms of gradients, layer by layer, for TensorBoard: `fit(callbacks=[...])`.

    They are taken as the optimizer gets them, before it clips them. A row of an embedding that a
    batch looks up many times has one gradient, their sum.

    Besides, the logs of each epoch have `gradient_norm`, the mean over its steps of the norm of all
    gradients together, and, if the optimizer clips, `clipped`, the share of steps that it did.

    Args:
        log_dir: The folder for TensorBoard; None writes nothing but the logs.
        every: Write the norms of one batch in so many.

    Raises:
        ValueError: `every` below 1.

    Example:
        >>> history = model.fit(texts, labels, callbacks=[GradientNorms("logs")])
        >>> history.history["clipped"]
    """

    def __init__(self, log_dir: str | Path | None = None, every: int = 10) -> None:
        super().__init__()
        check_count("every", every)
        self.log_dir, self.every = log_dir, every
        self._writer = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Looks over the optimizer's shoulder from now on."""
        optimizer = self.model.optimizer
        self._owners = _owners(self.model)
        self._names = list(dict.fromkeys(self._owners.values()))
        # Norms of the last step, that of all together at the end; sums over the epoch.
        self._norms = tf.Variable(tf.zeros([len(self._names) + 1]))
        self._steps, self._total, self._clipped = (tf.Variable(0.0) for _ in range(3))
        apply = optimizer.apply

        def measured(grads: Sequence[Any], trainable_variables: Any = None) -> Any:
            variables = optimizer._trainable_variables
            if trainable_variables is not None:
                variables = trainable_variables = list(trainable_variables)
            self._measure(grads, variables)
            return apply(grads, trainable_variables)

        optimizer.apply = measured
        # A step that was traced before would not look.
        self.model.make_train_function(force=True)
        if self.log_dir is not None:
            self._writer = tf.summary.create_file_writer(str(self.log_dir))

    def _measure(self, grads: Sequence[Any], variables: Sequence[keras.Variable]) -> None:
        pairs = [
            (tf.cast(tf.convert_to_tensor(gradient), tf.float32), self._owners[id(variable)])
            for gradient, variable in zip(grads, variables, strict=True)
            if gradient is not None
        ]
        squares = [(tf.reduce_sum(tf.square(gradient)), owner) for gradient, owner in pairs]
        by_layer = [tf.add_n([0.0, *(s for s, of in squares if of == n)]) for n in self._names]
        norms = tf.sqrt(tf.stack([*by_layer, tf.add_n(by_layer)]))
        self._norms.assign(norms)
        self._steps.assign_add(1.0)
        self._total.assign_add(norms[-1])
        optimizer, clipped = self.model.optimizer, tf.constant(False)
        if optimizer.global_clipnorm:
            clipped = norms[-1] > optimizer.global_clipnorm
        elif optimizer.clipnorm:
            largest = tf.sqrt(tf.reduce_max([square for square, _ in squares]))
            clipped = largest > optimizer.clipnorm
        elif optimizer.clipvalue:
            largest = tf.reduce_max([tf.reduce_max(tf.abs(gradient)) for gradient, _ in pairs])
            clipped = largest > optimizer.clipvalue
        self._clipped.assign_add(tf.cast(clipped, tf.float32))

    @property
    def last(self) -> dict[str, float]:
        """The norms of the last batch, by layer, and of `"all"` together."""
        return dict(zip([*self._names, "all"], self._norms.numpy().tolist(), strict=True))

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Writes the norms, once in `every` batches."""
        step = int(self.model.optimizer.iterations)
        if self._writer is None or step % self.every:
            return
        with self._writer.as_default(step=step):
            for name, norm in self.last.items():
                tf.summary.scalar(f"gradient_norm/{name}", norm)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Tells the epoch's mean and share."""
        steps = max(1.0, float(self._steps))
        told = {"gradient_norm": float(self._total) / steps}
        optimizer = self.model.optimizer
        if optimizer.global_clipnorm or optimizer.clipnorm or optimizer.clipvalue:
            told["clipped"] = float(self._clipped) / steps
        if logs is not None:
            logs.update(told)
        if self._writer is not None:
            with self._writer.as_default(step=int(optimizer.iterations)):
                for name, value in told.items():
                    tf.summary.scalar(f"gradients_of_epoch/{name}", value)
        for variable in (self._steps, self._total, self._clipped):
            variable.assign(0.0)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Leaves the optimizer as it was."""
        del self.model.optimizer.apply
        self.model.train_function = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _owners(model: keras.Model) -> dict[int, str]:
    """The layer that each trained variable is of, by the name that the code has for it."""
    owners = {}
    for name, variables in _layers(model):
        for variable in variables:
            owners.setdefault(id(variable), name)
    return owners


def _layers(model: keras.Model, before: str = "") -> Iterator[tuple[str, list[keras.Variable]]]:
    for name, layer in named_layers(model):
        if isinstance(layer, keras.Model):  # such as the network that a trainer holds
            yield from _layers(layer, f"{before}{name}/")
        else:
            yield f"{before}{name}", layer.trainable_variables
    for variable in model.trainable_variables:
        yield f"{before}{variable.name}", [variable]
