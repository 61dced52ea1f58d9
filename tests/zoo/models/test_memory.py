"""A model that is dropped leaves nothing behind, whatever it was used for."""

import pytest

from tests import corpus
from tests.leaks import assert_nothing_stays

TEXTS = ["The film was good.", "a dull ending"]
USES = {
    "classifier": (corpus.tiny_sentiment, (TEXTS, ["positive", "negative"])),
    "tagger": (corpus.tiny_ner, ([["Ada", "slept"], ["Ulm"]], [["B-PER", "O"], ["B-LOC"]])),
    "translator": (
        lambda: corpus.tiny_attention(corpus.tiny_tokenizer()),
        (TEXTS, ["Der Film.", "Ein Ende."]),
    ),
}


def use(make, columns):
    model = make()
    getattr(model, model.task)(TEXTS)
    model.fit(*columns, verbose=0)


@pytest.mark.parametrize("name", USES)
def test_no_traced_graph_outlives_its_model(name):
    assert_nothing_stays(use, *USES[name])
