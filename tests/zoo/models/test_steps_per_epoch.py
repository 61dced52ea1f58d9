"""`steps_per_epoch` with lists: they begin anew where they end, and nothing runs out of data."""

import warnings

import keras
import pytest

from tests import corpus
from zoo.models.raw_data import in_epochs

pytestmark = pytest.mark.usefixtures("few_steps")

TEXTS = ["good film", "bad film", "warm and funny", "dull", "silly"]
LABELS = ["positive", "negative", "positive", "negative", "negative"]


class Counter(keras.callbacks.Callback):
    """How many batches each epoch had."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.batches[-1] += 1


@pytest.fixture(scope="module")
def model():
    return corpus.tiny_sentiment()


@pytest.mark.parametrize("steps", [2, 3, 7])
@pytest.mark.parametrize("data", [{}, {"validation_split": 0.4}])
def test_every_epoch_has_its_steps(model, steps, data):
    """Of data of three batches, or two with validation: fewer, as many, or more."""
    counter = Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(
            TEXTS,
            LABELS,
            batch_size=2,
            epochs=3,
            steps_per_epoch=steps,
            callbacks=[counter],
            verbose=0,
            **data,
        )
    assert counter.batches == [steps] * 3


def test_epochs_go_on_where_the_last_one_stopped(model):
    """Unshuffled, two epochs of two steps and one of four see the same rows."""
    data = model._raw_data().batches(TEXTS, LABELS, batch_size=2)
    endless, steps = in_epochs(data, TEXTS, 4, endless=True)
    assert steps == 4
    batches = iter(endless)
    sizes = [int(next(batches)[0]["lengths"].shape[0]) for _ in range(7)]
    assert sizes == [2, 2, 1, 2, 2, 1, 2]
    data = model._raw_data().batches(TEXTS, LABELS, batch_size=5, shuffle=True)
    endless, steps = in_epochs(data, TEXTS)
    assert steps == 1
    orders = {tuple(batch[1].numpy()) for batch in endless.take(12)}
    assert len(orders) > 1  # shuffled anew at each pass
