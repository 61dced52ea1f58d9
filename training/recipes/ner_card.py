"""What the cards of `ner` and `ner_open` say beside the figures."""

from collections.abc import Mapping
from typing import Any

from zoo.training.corpora.catalogue import corpus
from zoo.training.evaluation.base import NOT_RECORDED, Card

WHAT = {
    "ner": (
        "Names in English news: persons, locations, organisations and others (MISC), with their "
        "places in the text. A bidirectional LSTM reads words and their characters, a conditional "
        "random field chooses the best tag sequence. After Lample et al. (2016); the lecture's "
        "*sequence labelling*."
    ),
    "ner_open": (
        "Names in English tweets and comments: persons, locations and organisations, with their "
        "places in the text. The network of `ner`, trained on openly licensed data only."
    ),
}
VECTORS = "Word vectors: GloVe 6B (Pennington et al. 2014),\npublic domain (PDDL)."
DATA = {
    "ner": f"""{corpus("conll2003").source} {VECTORS}

{corpus("conll2003").terms} `ner_open` has no such limit.""",
    "ner_open": f"""{corpus("wnut17").source}, and {corpus("btc").source}. Both are
CC-BY 4.0: name them where you pass the weights on. {VECTORS}

The corpora have different types. PER is their PER and person, LOC their LOC and location, ORG their
ORG, corporation and group. Products and creative works, which WNUT-17 marks and the other does not,
are no entities here.""",
}
TRAINED_ON = {
    "ner": "news of 1996; names that came up later, other genres and lower-cased text are\n"
    "  tagged worse",
    "ner_open": "tweets of 2009 to 2014 and comments of 2017; much of what it meets it has\n"
    "  never seen, and it misses more names than it finds wrong ones",
}


def card(recipe: Mapping[str, Any]) -> Card:
    """The prose of a tagger's card."""
    name = recipe["name"]
    return Card(
        what=WHAT.get(name, WHAT["ner"]),
        data=DATA.get(name, NOT_RECORDED),
        limits=f"""- Trained on {TRAINED_ON.get(name, "the data it was trained on")}. \
See the figures for unseen entities.
- English only. One sentence at a time: it knows nothing of the sentence before.
- What counts as a name, and of which type, is the corpora's convention.
- Not for decisions about people: it finds some people's names better than others'.""",
    )
