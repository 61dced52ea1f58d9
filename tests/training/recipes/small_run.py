"""A run small enough for a test: the made-up corpus in Multi30k's files, and a tiny network.

As a script it is `zoo-train` with that network, for tests that kill it.
"""

import dataclasses
import gzip

from tests.corpus import sentence_pairs
from zoo.training.corpora.multi30k import FILES
from zoo.training.loop.schedule import changed
from zoo.training.recipes import nmt

RECIPE = changed(
    nmt.RECIPES["nmt_attention"],
    vocabulary_size=305,
    network={
        "embedding_units": 12,
        "encoder_units": 10,
        "decoder_units": 14,
        "attention_units": 8,
        "embedding_dropout": 0.1,
        "encoder_dropout": 0.1,
        "readout_dropout": 0.1,
    },
    epochs=3,
    batch_size=8,
    learning_rate=0.02,
    warmup_steps=2,
    average_momentum=0.5,
)


def as_recorded(recipe):
    """The fields of a recipe and of its schedule side by side, as a `config.json` has them."""
    values = dataclasses.asdict(recipe)
    schedule = values.pop("schedule")
    return {**values, **schedule}


def write_multi30k(folder):
    """`raw/` and `tok/` with 64 training pairs, 16 of which are the validation pairs too."""
    pairs = sentence_pairs()
    for name, rows in (("train", pairs), ("val", pairs[::4])):
        columns = {
            "en": [english for english, _ in rows],
            "de": [german for _, german in rows],
            "de_tok": [german.lower().replace(".", " .") for _, german in rows],
        }
        for feature, pattern in FILES.items():
            path = folder / (pattern.format(name).removesuffix(".gz") + ".gz")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress("".join(f"{s}\n" for s in columns[feature]).encode()))
    return folder


if __name__ == "__main__":
    import tests.conftest  # noqa: F401 (it leaves graphs as they are, as in the tests' own process)
    from zoo.training.__main__ import main

    nmt.RECIPES["nmt_attention"] = RECIPE
    main(prog_name="zoo-train")
