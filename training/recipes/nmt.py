"""The recipe of ``nmt_attention`` and ``nmt_vanilla``: Multi30k, English to German.

Read from top to bottom: what is trained, on what, how, and which epoch is kept. Both models get the
same data, vocabulary and schedule; only the network differs.
"""

import difflib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras

import zoo.models
from training.batches import training_batches
from training.bleu import lowercased_tokenised_bleu
from training.checkpoint import Checkpoint, averaged_weights
from training.multi30k import load_multi30k
from training.subwords import SubwordSampler, train_subwords
from zoo.files import remove_partial
from zoo.models.losses import TokenCrossEntropy
from zoo.text.subwords import SubwordTokenizer


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result; two runs of one recipe see the same data in one order."""

    model: str
    seed: int = 1
    # Data
    vocabulary_size: int = 4000
    sampling_alpha: float = 0.4
    sampling_epochs: int = 13  # from then on the best segmentation, the one met in use
    # Network: arguments of the model's class, its defaults where not named
    network: dict = field(default_factory=dict)
    # Schedule
    epochs: int = 12
    batch_size: int = 64
    learning_rate: float = 1.5e-3
    warmup_steps: int = 300
    clip_norm: float = 1.0
    label_smoothing: float = 0.1
    average_momentum: float = 0.998
    weight_decay: float = 0.0
    precision: str = "float32"


RECIPES = {
    "nmt_attention": Recipe(
        "nmt_attention",
        epochs=18,
        network={
            "embedding_units": 192,
            "encoder_units": 192,
            "decoder_units": 384,
            "attention_units": 192,
            "embedding_dropout": 0.2,
            "encoder_dropout": 0.35,
            "readout_dropout": 0.35,
        },
    ),
    "nmt_vanilla": Recipe(
        "nmt_vanilla",
        epochs=10,
        sampling_epochs=7,
        network={
            "embedding_units": 192,
            "units": 320,
            "layers": 2,
            "embedding_dropout": 0.2,
            "layer_dropout": 0.25,
            "readout_dropout": 0.35,
        },
    ),
}


def recipe(name):
    """The recipe of a preset.

    Raises:
        ValueError: unknown name (with close matches).
    """
    if name not in RECIPES:
        close = difflib.get_close_matches(name, RECIPES, n=2, cutoff=0.4)
        hint = f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
        raise ValueError(
            f"`name` has no recipe.{hint} Recipes: {', '.join(RECIPES)}. Received: {name!r}"
        )
    return RECIPES[name]


def train(recipe, out, data_dir=None, verify=True, command=None, callbacks=()):
    """Train, or go on with a run that was stopped; keep the epoch with the best dev BLEU.

    Args:
        recipe: a :class:`Recipe`.
        out: the run's folder: ``checkpoint*`` to go on from, ``preset/`` for the best epoch so far,
            ``logs/`` for TensorBoard.
        data_dir: folder with Multi30k; None downloads it from its public home.
        verify: refuse data that is not the published corpus.
        command: the command line, for the model card.
        callbacks: further Keras callbacks.

    Returns:
        The folder of the best epoch, which ``zoo.load`` takes.

    Raises:
        ValueError: ``out`` holds a run of another recipe.
    """
    keras.utils.set_random_seed(recipe.seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.precision)
    try:
        return _train(recipe, Path(out), data_dir, verify, command, callbacks)
    finally:
        keras.config.set_dtype_policy(policy)


def _train(recipe, out, data_dir, verify, command, callbacks):
    data = load_multi30k(data_dir, "train", verify)
    subwords = train_subwords([*data.en, *data.de], recipe.vocabulary_size)
    model = zoo.models.MODELS[recipe.model](SubwordTokenizer(subwords), **recipe.network)

    sampled = SubwordSampler(subwords, recipe.sampling_alpha)
    best = SubwordSampler(subwords, best=1)

    def draw(rng, epoch):
        segment = sampled if epoch <= recipe.sampling_epochs else best
        return segment(data.en, rng), segment(data.de, rng)

    steps = -(-len(data.en) // recipe.batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=recipe.warmup_steps,
        decay_steps=max(1, recipe.epochs * steps - recipe.warmup_steps),
        alpha=0.02,
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            schedule,
            weight_decay=recipe.weight_decay,
            beta_2=0.98,
            global_clipnorm=recipe.clip_norm,
            use_ema=True,
            ema_momentum=recipe.average_momentum,
        ),
        loss=TokenCrossEntropy(recipe.label_smoothing),
    )
    checkpoint = Checkpoint(out, asdict(recipe))
    done, best_score = checkpoint.restore(model)
    batches = training_batches(
        draw=draw,
        finish=model.training_batch,
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        epochs=range(done + 1, recipe.epochs + 1),
    )
    dev = load_multi30k(data_dir, "validation", verify)
    told = {"command": command, "recipe": asdict(recipe), "plans": checkpoint.plans}
    remove_partial(out / "preset")
    keep = KeepBest(checkpoint, dev, out / "preset", best_score, told)
    keras.Model.fit(
        model,
        batches,
        steps_per_epoch=steps,
        initial_epoch=done,
        epochs=recipe.epochs,
        shuffle=False,  # done, and the same way at every start
        callbacks=[keep, keras.callbacks.TensorBoard(out / "logs"), *callbacks],
    )
    return out / "preset"


class KeepBest(keras.callbacks.Callback):
    """After each epoch: dev BLEU of the averaged weights, the best preset, a checkpoint."""

    def __init__(self, checkpoint, dev, preset, best, training):
        super().__init__()
        self.checkpoint, self.dev, self.preset, self.best = checkpoint, dev, preset, best
        self.training = training

    def on_epoch_end(self, epoch, logs=None):
        with averaged_weights(self.model):
            # Greedy search ranks epochs as well as beam search does, in a quarter of the time.
            hypotheses = self.model.translate(self.dev.en, beam_size=1, batch_size=128)
            score = lowercased_tokenised_bleu(hypotheses, self.dev.de_tok).score
            # A kill in the instant of replacing the preset may have left none.
            if self.best is None or score > self.best or not self.preset.exists():
                self.best = score
                training = {**self.training, "epoch": epoch + 1}
                zoo.save(self.model, self.preset, overwrite=True, training=training)
        logs["dev_bleu"] = score
        logs["best_dev_bleu"] = self.best
        self.checkpoint.save(self.model, epoch + 1, self.best)
