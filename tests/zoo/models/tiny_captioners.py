"""Captioners with a tiny encoder, and drawn pictures with captions."""

import numpy as np

from zoo.layers.vision import efficientnet
from zoo.models import ShowAndTell, ShowAttendTell
from zoo.text.subwords import SubwordTokenizer
from zoo.training.corpora.subwords import train_words

efficientnet.VARIANTS.setdefault("tiny", efficientnet.Variant(0.1, 0.1, 64))  # a grid of 2 by 2

SIDES = {"left": slice(0, 32), "right": slice(32, 64)}
COLOURS = {"red": (230, 30, 30), "green": (30, 230, 30), "blue": (30, 30, 230)}


def scenes(noise=0):
    """Six pictures, uint8 `[64, 64, 3]`, and two captions of each: a bar, its colour and side."""
    rng = np.random.default_rng(0)
    pictures, captions = [], []
    for colour, rgb in COLOURS.items():
        for side, columns in SIDES.items():
            picture = rng.integers(0, 20, [64, 64, 3])
            picture[:, columns] = np.array(rgb) + rng.integers(-20, 20, 3)
            pictures.append(picture.astype(np.uint8))
            captions.append([f"A {colour} bar.", f"The bar 's {colour} on the {side}!"])
    return pictures, captions


def tokenizer():
    words = ["a red green blue bar 's the on left right"] * 2
    return SubwordTokenizer(train_words(words, 2))


def captioner(cls, **arguments):
    sizes = {"encoder": "tiny", "embedding_units": 12, "units": 16}
    if cls is ShowAttendTell:
        sizes |= {"annotation_units": 14, "attention_units": 8, "annotation_dropout": 0.0}
    else:
        sizes |= {"vector_dropout": 0.0, "layer_dropout": 0.0}
    sizes |= {"embedding_dropout": 0.0, "readout_dropout": 0.0}
    return cls(tokenizer(), **{**sizes, **arguments})


CAPTIONERS = (ShowAndTell, ShowAttendTell)
