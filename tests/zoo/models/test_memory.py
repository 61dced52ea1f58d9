"""A model that is dropped leaves nothing behind, whatever it was used for."""

import gc

import pytest
from tensorflow.python.framework.func_graph import FuncGraph

from tests import corpus

TEXTS = ["The film was good.", "a dull ending"]
USES = {
    "classifier": (corpus.tiny_sentiment, (TEXTS, ["positive", "negative"])),
    "tagger": (corpus.tiny_ner, ([["Ada", "slept"], ["Ulm"]], [["B-PER", "O"], ["B-LOC"]])),
    "translator": (
        lambda: corpus.tiny_attention(corpus.tiny_tokenizer()),
        (TEXTS, ["Der Film.", "Ein Ende."]),
    ),
}


def live_graphs():
    gc.collect()
    return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())


def use(make, columns):
    model = make()
    getattr(model, model.task)(TEXTS)
    model.fit(*columns, verbose=0)


@pytest.mark.parametrize("name", USES)
def test_no_traced_graph_outlives_its_model(name):
    use(*USES[name])  # what TensorFlow and Keras keep once for all models
    before = live_graphs()
    use(*USES[name])
    assert live_graphs() <= before
