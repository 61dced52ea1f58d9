"""A metric of the user's own sees real tokens and no padding, in every family of models."""

import keras
import numpy as np
import pytest

from tests import corpus

PAIRS = corpus.sentence_pairs()
TAGGED = ([["Ann", "was", "in", "Ulm", "."], ["Ulm"]], [["B-PER", "O", "O", "B-LOC", "O"], ["O"]])
REVIEWS = (["The film was good, and so was the plot.", "dull"], ["positive", "negative"])
MODELS = {
    "translator": (
        lambda: corpus.tiny_vanilla(corpus.tiny_tokenizer()),
        ([PAIRS[0][0], "A man"], [PAIRS[0][1], "Mann"]),
    ),
    "tagger": (corpus.tiny_ner, TAGGED),
    "classifier": (corpus.tiny_sentiment, REVIEWS),
}


class Seen(keras.metrics.Metric):
    """How many values it was given."""

    def __init__(self):
        super().__init__(name="seen")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y, y_pred, sample_weight=None):
        assert len(y_pred.shape) == len(y.shape) + 1
        self.count.assign_add(keras.ops.cast(keras.ops.size(y), "float32"))

    def result(self):
        return 1.0 * self.count


@pytest.mark.parametrize("family", MODELS)
def test_it_counts_the_same_together_and_alone(family):
    make, columns = MODELS[family]
    keras.utils.set_random_seed(1)
    model = corpus.loud(make())
    loss = getattr(model, "loss", None)
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="right")
    still = keras.optimizers.SGD(0.0)
    model.compile(still, loss=loss, metrics=[Seen(), accuracy], run_eagerly=True)

    def figures(*columns):
        return model.evaluate(*columns, verbose=0, return_dict=True)

    alone = [figures(*([entry] for entry in row)) for row in zip(*columns, strict=True)]
    together = figures(*columns)
    sizes = [of["seen"] for of in alone]
    assert family == "classifier" or sizes[0] != sizes[1]  # so that there is padding
    assert together["seen"] == sum(sizes)
    expected = np.average([of["right"] for of in alone], weights=sizes)
    assert together["right"] == pytest.approx(expected)
    fitted = model.fit(*columns, verbose=0).history
    assert fitted["seen"] == [sum(sizes)]
