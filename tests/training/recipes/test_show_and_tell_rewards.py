"""Self-critical training: what is drawn, how it is weighed, and that it raises the reward."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.models.tiny_captioners import captioner
from zoo.models import ShowAndTell
from zoo.text.subwords import END_ID
from zoo.training.loop.schedule import changed
from zoo.training.metrics.consensus import Consensus
from zoo.training.recipes.show_and_tell import RECIPES
from zoo.training.recipes.show_and_tell_batches import caption_ids
from zoo.training.recipes.show_and_tell_rewards import (
    MOST_DRAWN,
    advantages,
    drawing,
    policy_loss,
    rewarded_batches,
)

CAPTIONS = [["a red bar"], ["a bar on the left"], ["the blue bar"]]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return captioner(ShowAndTell)


@pytest.fixture(scope="module")
def features():
    return np.random.default_rng(0).random([3, 2, 1, 1280]).astype(np.float16)


def test_captions_are_drawn_for_each_picture_and_end(model, features):
    draw = drawing(model, features, 4)
    ids, lengths = draw(features[:, 0].astype(np.float32), 5)
    again, _ = draw(features[:, 0].astype(np.float32), 5)
    other, _ = draw(features[:, 0].astype(np.float32), 6)
    assert ids.shape[0] == len(lengths) == 12
    assert ids.tolist() == again.tolist() != other.tolist()
    for row, length in zip(ids, lengths, strict=True):
        assert (row[length:] == 0).all()
        ended = row[length - 1] == END_ID
        assert ended or length == MOST_DRAWN
        assert (row[: length - ended] != END_ID).all()


def test_the_advantages_of_a_picture_sum_to_nothing():
    found = advantages(np.array([[1.0, 1.0, 4.0], [2.0, 2.0, 2.0]]))
    np.testing.assert_allclose(found, [[-1.5, -1.5, 3], [0, 0, 0]])


def test_the_loss_is_the_policy_gradients():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=[2, 3, 5]).astype(np.float32)
    target, weights = rng.integers(0, 5, [2, 3]), rng.normal(size=[2, 3]).astype(np.float32)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = -(weights * np.take_along_axis(log_p, target[..., None], -1)[..., 0]).mean()
    found = policy_loss()(tf.constant(target), tf.constant(logits), tf.constant(weights))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_what_is_drawn_gets_a_better_reward(model, features):
    recipe = changed(RECIPES["show_and_tell"], drawn_each=8, batch_size=3, flips=False)
    batches = rewarded_batches(model, recipe, CAPTIONS, features)
    flat = [caption for of in CAPTIONS for caption in of]
    consensus = Consensus([[ids.tolist()] for ids in caption_ids(model, flat)])
    draw = drawing(model, features, 32)

    def reward():
        ids, lengths = draw(features[:, 0].astype(np.float32), 1)
        scores = [
            consensus.score(row // 32, ids[row, : lengths[row]].tolist()) for row in range(96)
        ]
        return np.mean(scores)

    before = reward()
    model.compile(keras.optimizers.Adam(0.01), loss=policy_loss())
    keras.Model.fit(model, batches(range(1, 41)), steps_per_epoch=40, verbose=0)
    assert reward() > before + 0.3
