"""What the cards of `show_and_tell` and `show_attend_tell` say beside the figures."""

from collections.abc import Mapping
from typing import Any

from zoo.training.corpora.catalogue import corpus
from zoo.training.evaluation.base import Card
from zoo.training.vision.encoders import LICENCE, PACKAGES

WHAT = {
    "show_and_tell": (
        "Says what is in a picture, from a single glance: a network that was trained to name "
        "things gives a vector, an LSTM sees it once and writes a caption. After Vinyals, Toshev, "
        "Bengio and Erhan (2015); the lecture's *Im2seq*. It is here to be compared with "
        "`show_attend_tell`."
    ),
    "show_attend_tell": (
        "Says what is in a picture, and where it looked for each word: an LSTM attends to the "
        "places of a grid that a network for naming things gives. After Xu et al. (2015), soft "
        "attention with its gate; the lecture's *attention mechanism*, over a picture."
    ),
}
LIMITS = {
    "show_and_tell": (
        "- One vector must hold the whole picture: small things and their number are lost.\n"
    ),
    "show_attend_tell": (
        "- A map tells where the network looked, on a coarse grid, and not why it chose the word.\n"
    ),
}


def card(recipe: Mapping[str, Any]) -> Card:
    """The prose of a captioner's card."""
    flickr8k = corpus("flickr8k")
    encoder = recipe.get("network", {}).get("encoder", "lite0")
    package = PACKAGES[encoder]
    tuned = any(recipe.get(key, "").endswith("_tuned") for key in ("name", "begins_with"))
    further = " Its last blocks were trained further, on Flickr8k." if tuned else ""
    return Card(
        what=WHAT[recipe["model"]],
        data=f"""{flickr8k.source}
{flickr8k.terms}

The encoder, EfficientNet-{encoder.capitalize()}, was trained on ImageNet by its authors (Tan and Le
2019). Its weights, which these files hold too, are those of the package {package.name}
{package.version} ({LICENCE}).{further}""",
        limits=f"""- Trained on photographs of people and dogs, mostly out of doors, squashed to a \
square: of
  drawings, screenshots, texts, medical pictures and the like it says something wrong, with
  confidence.
- It names what is frequent in its data: most dogs run, most people are men, and most of them wear
  a shirt of some colour. Colours and numbers are often wrong.
- What it says of people (sex, age, what they do, how they are related) is a guess from the writers'
  guesses, stereotypes included (van Miltenburg 2016). Not for decisions about people, and not for
  finding or sorting them.
- Not a description for people who cannot see, unless somebody checks it: nothing in a caption tells
  a good one from a bad one.
{LIMITS[recipe["model"]]}\
- Not for commercial use (see the data).""",
    )
