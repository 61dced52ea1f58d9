"""Flickr8k's files with drawn pictures, and recipes with a tiny encoder and network."""

import tensorflow as tf

from tests.zoo.models.tiny_captioners import captioner, scenes
from zoo.layers.vision import EfficientNetLite
from zoo.models import ShowAndTell, ShowAttendTell
from zoo.training.corpora.flickr8k import CAPTIONS_FILE, SPLITS
from zoo.training.loop.schedule import changed
from zoo.training.recipes.show_and_tell import RECIPES


def write_flickr8k(folder):
    """Six pictures for each split, the same ones, each with five captions."""
    texts, pictures = folder / "Flickr8k_text", folder / "Flicker8k_Dataset"
    texts.mkdir()
    pictures.mkdir()
    lines = []
    for split, (list_name, _) in SPLITS.items():
        names = [f"{split}_{number}.jpg" for number in range(6)]
        (texts / list_name).write_text("".join(f"{name}\n" for name in names))
        for name, picture, (first, second) in zip(names, *scenes(), strict=True):
            (pictures / name).write_bytes(tf.io.encode_jpeg(picture).numpy())
            five = [first, second, first, second, first]
            lines += [f"{name}#{n}\t{caption}\n" for n, caption in enumerate(five)]
    (texts / CAPTIONS_FILE).write_text("".join(lines))
    return folder


def small_recipe(name, **changes):
    recipe = RECIPES[name]
    cls = {"show_and_tell": ShowAndTell, "show_attend_tell": ShowAttendTell}[recipe.model]
    fast = {"batch_size": 8, "epochs": 2, "warmup_steps": 2, "average_momentum": 0.5}
    fast |= {"learning_rate": 0.02, "least_count": 2}
    if recipe.begins_with:
        # One step an epoch: the first of a warm-up would change nothing.
        fast |= {"trained_from": len(captioner(cls).encoder.blocks) - 1, "warmup_steps": 0}
    else:
        fast |= {"network": captioner(cls).get_config()}
    return changed(recipe, **fast | changes)


def random_encoder(variant):
    """In place of one with public weights."""
    tf.keras.utils.set_random_seed(3)
    encoder = EfficientNetLite(variant)
    encoder.build()
    return encoder
