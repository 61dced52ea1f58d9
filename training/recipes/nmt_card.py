"""What the cards of `nmt_attention` and `nmt_vanilla` say beside the figures."""

from collections.abc import Mapping
from typing import Any

from zoo.training.corpora.catalogue import corpus
from zoo.training.evaluation.base import Card

WHAT = {
    "nmt_attention": (
        "English to German with attention: a bidirectional GRU reads the source, a GRU writes "
        "the translation and looks at every source position before each word. After Bahdanau, Cho "
        "and Bengio (2015); the lecture's *attention mechanism*."
    ),
    "nmt_vanilla": (
        "English to German without attention: one LSTM reads the source, and its last state is all "
        "that the writing LSTM gets. After Sutskever, Vinyals and Le (2014); the lecture's "
        "*seq2seq*. It is here to be compared with `nmt_attention`."
    ),
}
LIMITS = {
    "nmt_attention": "",
    "nmt_vanilla": (
        "- The whole source must fit into one state: in long sentences words are lost and others "
        "invented. See the table by source length.\n"
    ),
}


def card(recipe: Mapping[str, Any]) -> Card:
    """The prose of a translator's card."""
    multi30k = corpus("multi30k")
    return Card(
        what=WHAT[recipe["name"]],
        data=f"{multi30k.source}\n{multi30k.terms}",
        limits=f"""- Trained on captions of photographs: short, present tense, people, dogs, streets. It
  translates other text badly until it is fine-tuned; names and numbers are not safe with it.
- One sentence at a time; it knows nothing of the sentence before.
- Captions carry their writers' stereotypes (van Miltenburg 2016), and so do the translations.
{LIMITS[recipe["name"]]}\
- Not for decisions about people, and not for commercial use (see the data).""",  # noqa: E501
    )
