"""What the training of every preset shares: seeds, optimizer, the loop and what it leaves."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import zoo
from zoo.files import remove_partial
from zoo.models.fused_adam import FusedStep
from zoo.training.loop.checkpoint import Checkpoint, averaged_weights
from zoo.training.loop.schedule import Schedule, recorded


@contextlib.contextmanager
def prepared(recipe: Any) -> Iterator[None]:
    """Within the block, seeds and dtype policy are those of the recipe.

    Args:
        recipe: A dataclass with the fields `seed` and `schedule`.
    """
    keras.utils.set_random_seed(recipe.seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.schedule.precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def averaging_adam(
    schedule: Schedule,
    steps: int,
    slower: Sequence[keras.Variable] = (),
    slower_rate: float = 1.0,
) -> keras.optimizers.Optimizer:
    """AdamW with warm-up and cosine decay that also keeps the moving average of the weights.

    A word's gradient is summed over all its places before Adam squares it, and before the norm is
    taken to which all gradients together are clipped.

    Args:
        schedule: The recipe's.
        steps: Batches in an epoch.
        slower: Variables with a learning rate of their own, such as a pretrained encoder's.
        slower_rate: That rate, as a part of the schedule's.
    """
    rates = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=schedule.learning_rate,
        warmup_steps=schedule.warmup_steps,
        decay_steps=max(1, schedule.epochs * steps - schedule.warmup_steps),
        alpha=0.02,
    )
    return SummingAdamW(
        rates,
        weight_decay=schedule.weight_decay,
        beta_2=0.98,
        global_clipnorm=schedule.clip_norm,
        use_ema=True,
        ema_momentum=schedule.average_momentum,
        slower=slower,
        slower_rate=slower_rate,
    )


def decaying_sgd(
    schedule: Schedule, steps: int, full_epochs: int, decay: float
) -> keras.optimizers.Optimizer:
    """Plain SGD whose learning rate falls by a factor at each epoch after the first ones.

    As Zaremba et al. (2014) train language models. Gradients are summed and clipped as for
    `averaging_adam`; no average of the weights is kept.

    Args:
        schedule: The recipe's; its warm-up and average are not used.
        steps: Batches in an epoch.
        full_epochs: Epochs of the whole learning rate.
        decay: The factor.
    """
    later = range(full_epochs, schedule.epochs)
    rates = schedule.learning_rate * decay ** np.arange(len(later) + 1.0)
    if len(later):
        # The last step of an epoch still has its rate.
        boundaries = [epoch * steps - 1 for epoch in later]
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates.tolist())
    else:
        rate = schedule.learning_rate
    return SummingSGD(rate, global_clipnorm=schedule.clip_norm)


class SummedSlices:
    """One gradient for each row of an embedding; a mixin of optimizers.

    TensorFlow gives the gradient of a look-up as one slice for each place that looked, and joins
    the slices of several look-ups. Keras takes the norm it clips by over the slices, which is not
    that of their sum, and, where it clips nothing, squares the slices before it sums them.

    Args:
        *args: Those of `keras.optimizers.AdamW`.
        slower: Variables whose learning rate is a part of the others'.
        slower_rate: How large a part.
        **kwargs: As `args`.
    """

    def __init__(
        self,
        *args: Any,
        slower: Sequence[keras.Variable] = (),
        slower_rate: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._slower = frozenset(self._var_key(variable) for variable in slower)
        self._slower_rate = slower_rate
        self._rate_of_this_step = None

    def update_step(
        self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor
    ) -> None:
        """One variable's step, a smaller one if it is a slower one."""
        rate = self._slower_rate if self._var_key(variable) in self._slower else 1.0
        super().update_step(gradient, variable, learning_rate * rate)

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[keras.Variable] | None = None
    ) -> None:
        """Sums each gradient's slices, then takes the step."""
        summed = [None if grad is None else tf.convert_to_tensor(grad) for grad in grads]
        rate = super()._get_current_learning_rate()
        # A variable costs nothing to read, and the optimizer would take it for one more of its own.
        self._rate_of_this_step = None if isinstance(rate, keras.Variable) else rate
        try:
            return super().apply(summed, trainable_variables)
        finally:
            self._rate_of_this_step = None

    def _get_current_learning_rate(self) -> tf.Tensor:
        """The schedule, once a step: Keras would trace it for the decay of each variable."""
        if self._rate_of_this_step is not None:
            return self._rate_of_this_step
        return super()._get_current_learning_rate()


class SummingAdamW(SummedSlices, FusedStep, keras.optimizers.AdamW):
    """AdamW that sees one gradient for each row of an embedding; see `SummedSlices`."""


class SummingSGD(SummedSlices, keras.optimizers.SGD):
    """SGD that sees one gradient for each row of an embedding; see `SummedSlices`."""


def finished_preset(recipe: Any, out: str | Path) -> Path | None:
    """The preset of a run that has no epoch left; None if there is something to do.

    Args:
        recipe: A dataclass of plain values with the field `schedule`.
        out: The run's folder.

    Raises:
        OSError: `out` cannot be written to.
        ValueError: `out` holds a run of another recipe.
    """
    state = Checkpoint(out, recorded(recipe)).read()
    done = state is not None and state["epoch"] >= recipe.schedule.epochs
    preset = Path(out) / "preset"
    return preset if done and preset.exists() else None


def train_model(
    model: keras.Model,
    recipe: Any,
    batches: Callable[[range], tf.data.Dataset],
    steps: int,
    out: str | Path,
    score: Callable[[keras.Model], float],
    metric: str,
    command: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    lower_is_better: bool = False,
    half: bool = True,
    network: keras.Model | None = None,
    save_every: int | None = None,
    began_with: dict[str, Any] | None = None,
) -> Path:
    """Fits a compiled model from where the run stands; keeps the epoch with the best score.

    Args:
        model: A model of the zoo, or what trains one, compiled with `averaging_adam`.
        recipe: A dataclass of plain values with the field `schedule`.
        batches: The prepared batches of a range of epochs, a function of seed and epoch alone.
        steps: Batches in an epoch.
        out: The run's folder: `checkpoint*` to go on from, `preset/` for the best epoch so far,
            `logs/` for TensorBoard.
        score: The model's score on dev data; called with the averaged weights.
        metric: The score's name, such as "bleu".
        command: The command line, for the model card.
        callbacks: Further Keras callbacks.
        lower_is_better: Whether the best score is the lowest, not the highest.
        half: Whether the preset's weights are float16; float32 is for what is trained on.
        network: The model of the zoo that is scored and kept, where `model` is what trains it.
        save_every: Batches after which a checkpoint is written within an epoch, too; None: epochs
            are short.
        began_with: What the preset's `config.json` says of the weights that the run began with.

    Returns:
        The folder of the best epoch, which `zoo.load` takes.

    Raises:
        OSError: `out` cannot be written to, or the disk is full; what stands there stays whole.
        ValueError: `out` holds a run of another recipe.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint = Checkpoint(out, recorded(recipe))
    done, best = checkpoint.restore(model)
    metadata = {"command": command, "recipe": recorded(recipe), "plans": checkpoint.plans}
    if began_with is not None:
        metadata["began_with"] = began_with
    remove_partial(out / "preset")
    keep = KeepBest(
        checkpoint,
        out / "preset",
        score,
        metric,
        best,
        metadata,
        lower_is_better,
        half,
        network,
        save_every,
        checkpoint.step,
    )
    epochs = recipe.schedule.epochs

    def fit(first: int, last: int, skipped: int) -> None:
        model.fit(
            batches(range(first, last + 1)).skip(skipped),
            steps_per_epoch=steps - skipped,
            initial_epoch=first - 1,
            epochs=last,
            shuffle=False,  # the batches have their order
            callbacks=[keep, keras.callbacks.TensorBoard(out / "logs"), *callbacks],
        )

    if checkpoint.step:  # the rest of an epoch has fewer batches than the others
        done += 1
        fit(done, done, checkpoint.step)
    if done < epochs:
        fit(done + 1, epochs, 0)
    return out / "preset"


class KeepBest(keras.callbacks.Callback):
    """After each epoch: the dev score, the best preset, a checkpoint; see `train_model`.

    Args:
        checkpoint: The run's.
        preset: Folder for the best epoch so far.
        score: The model's score on dev data.
        metric: The score's name in the logs, where `dev_` and `best_dev_` come before it.
        best: The best score of the epochs that are done; None if there are none.
        training: What `config.json` says of the training, beside the epoch.
        lower_is_better: Whether the best score is the lowest.
        half: Whether the preset's weights are float16.
        network: As of `train_model`; None: the model that is fitted.
        save_every: As of `train_model`.
        begun: Batches of the first epoch that were done before.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        preset: Path,
        score: Callable[[keras.Model], float],
        metric: str,
        best: float | None,
        training: dict[str, Any],
        lower_is_better: bool = False,
        half: bool = True,
        network: keras.Model | None = None,
        save_every: int | None = None,
        begun: int = 0,
    ) -> None:
        super().__init__()
        self.checkpoint, self.preset, self.score, self.metric = checkpoint, preset, score, metric
        self.best, self.training = best, training
        self.lower_is_better, self.half = lower_is_better, half
        self.network, self.save_every, self.begun = network, save_every, begun

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remembers where it is."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Saves within an epoch."""
        done = self.begun + batch + 1
        if self.save_every and done % self.save_every == 0:
            self.checkpoint.save(self.model, self._epoch, self.best, done)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures with averaged weights, then saves."""
        self.begun = 0
        network = self.network or self.model
        with averaged_weights(self.model):
            score = self.score(network)
            # A kill in the instant of replacing the preset may have left none.
            if self._is_best(score) or not self.preset.exists():
                self.best = score
                training = {**self.training, "epoch": epoch + 1}
                zoo.save(network, self.preset, True, half=self.half, training=training)
        logs[f"dev_{self.metric}"] = score
        logs[f"best_dev_{self.metric}"] = self.best
        self.checkpoint.save(self.model, epoch + 1, self.best)

    def _is_best(self, score: float) -> bool:
        if self.best is None:
            return True
        return score < self.best if self.lower_is_better else score > self.best
