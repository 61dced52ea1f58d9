"""What the training of every preset shares: seeds, optimizer, the loop and what it leaves."""

import contextlib
from dataclasses import asdict
from pathlib import Path

import keras
import tensorflow as tf

import zoo
from training.loop.checkpoint import Checkpoint, averaged_weights
from zoo.files import remove_partial


@contextlib.contextmanager
def prepared(recipe):
    """Within the block, seeds and dtype policy are those of the recipe.

    Args:
        recipe: a dataclass with the fields ``seed`` and ``precision``.
    """
    keras.utils.set_random_seed(recipe.seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def averaging_adam(recipe, steps):
    """AdamW with warm-up and cosine decay that also keeps the moving average of the weights.

    A word's gradient is summed over all its places before Adam squares it, and before the norm is
    taken to which all gradients together are clipped.

    Args:
        recipe: a dataclass with the fields ``learning_rate`` (the highest), ``warmup_steps``,
            ``epochs``, ``weight_decay``, ``clip_norm`` and ``average_momentum``.
        steps: int, batches in an epoch.
    """
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=recipe.warmup_steps,
        decay_steps=max(1, recipe.epochs * steps - recipe.warmup_steps),
        alpha=0.02,
    )
    return SummingAdamW(
        schedule,
        weight_decay=recipe.weight_decay,
        beta_2=0.98,
        global_clipnorm=recipe.clip_norm,
        use_ema=True,
        ema_momentum=recipe.average_momentum,
    )


class SummingAdamW(keras.optimizers.AdamW):
    """AdamW that sees one gradient for each row of an embedding.

    TensorFlow gives the gradient of a look-up as one slice for each place that looked, and joins
    the slices of several look-ups. Keras takes the norm it clips by over the slices, which is not
    that of their sum, and, where it clips nothing, squares the slices before it sums them.
    """

    def apply(self, grads, trainable_variables=None):
        summed = [None if grad is None else tf.convert_to_tensor(grad) for grad in grads]
        return super().apply(summed, trainable_variables)


def train_model(model, recipe, batches, steps, out, score, metric, command=None, callbacks=()):
    """Fit a compiled model from where the run stands; keep the epoch with the best score.

    Args:
        model: a model of the zoo, compiled with :func:`averaging_adam`.
        recipe: a dataclass of plain values with the field ``epochs``.
        batches: function ``(epochs) -> tf.data.Dataset`` of the prepared batches of a ``range`` of
            epochs, a function of seed and epoch alone.
        steps: int, batches in an epoch.
        out: the run's folder: ``checkpoint*`` to go on from, ``preset/`` for the best epoch so far,
            ``logs/`` for TensorBoard.
        score: function ``(model) -> float`` on dev data, higher is better; called with the
            averaged weights.
        metric: the score's name, such as ``"bleu"``.
        command: the command line, for the model card.
        callbacks: further Keras callbacks.

    Returns:
        The folder of the best epoch, which ``zoo.load`` takes.

    Raises:
        OSError: ``out`` cannot be written to, or the disk is full; what stands there stays whole.
        ValueError: ``out`` holds a run of another recipe.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint(out, asdict(recipe))
    done, best = checkpoint.restore(model)
    told = {"command": command, "recipe": asdict(recipe), "plans": checkpoint.plans}
    remove_partial(out / "preset")
    keep = KeepBest(checkpoint, out / "preset", score, metric, best, told)
    model.fit(
        batches(range(done + 1, recipe.epochs + 1)),
        steps_per_epoch=steps,
        initial_epoch=done,
        epochs=recipe.epochs,
        callbacks=[keep, keras.callbacks.TensorBoard(out / "logs"), *callbacks],
    )
    return out / "preset"


class KeepBest(keras.callbacks.Callback):
    """After each epoch: the dev score, the best preset, a checkpoint; see :func:`train_model`."""

    def __init__(self, checkpoint, preset, score, metric, best, training):
        super().__init__()
        self.checkpoint, self.preset, self.score, self.metric = checkpoint, preset, score, metric
        self.best, self.training = best, training

    def on_epoch_end(self, epoch, logs=None):
        with averaged_weights(self.model):
            score = self.score(self.model)
            # A kill in the instant of replacing the preset may have left none.
            if self.best is None or score > self.best or not self.preset.exists():
                self.best = score
                training = {**self.training, "epoch": epoch + 1}
                zoo.save(self.model, self.preset, overwrite=True, training=training)
        logs[f"dev_{self.metric}"] = score
        logs[f"best_dev_{self.metric}"] = self.best
        self.checkpoint.save(self.model, epoch + 1, self.best)
