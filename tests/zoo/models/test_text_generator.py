"""Any encoder under the text generator: a captioner is an encoder and a verb, nothing else."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import corpus
from tests.zoo.models.toy_captioner import ToyCaptioner

SHAPES = {"ein Hund": (0, 3), "eine Frau": (3, 6)}


def pictures(count, rng):
    """White bars on the left or right, with noise; and what they are called."""
    images, captions = [], []
    for number in range(count):
        caption, (left, right) = list(SHAPES.items())[number % 2]
        image = rng.integers(0, 60, [6, 6])
        image[:, left:right] += 180
        images.append(image.astype(np.uint8))
        captions.append(caption)
    return images, captions


@pytest.fixture(scope="module", params=[True, False], ids=["attention", "state"])
def captioner(request):
    keras.utils.set_random_seed(0)
    return ToyCaptioner(corpus.tiny_tokenizer(), attention=request.param)


def test_a_captioner_learns_from_raw_pictures(captioner):
    rng = np.random.default_rng(0)
    images, captions = pictures(32, rng)
    captioner.fit(images, captions, batch_size=8, epochs=40, verbose=0)
    unseen, expected = pictures(8, rng)
    assert captioner.caption(unseen) == expected
    assert captioner.caption(unseen[1]) == expected[1]
    data = tf.data.Dataset.from_tensor_slices((np.stack(images), captions))
    assert np.isfinite(captioner.fit(data, epochs=1, verbose=0).history["loss"]).all()


def test_answers_say_what_was_looked_at(captioner):
    image = np.zeros([6, 6], np.uint8)
    answer = captioner.caption(image, return_attention=True, beam_size=2)
    assert answer.text == captioner.caption(image, beam_size=2)
    if captioner.has_attention:
        assert answer.attention.shape == (len(answer.target_tokens), 6)
        np.testing.assert_allclose(answer.attention.sum(axis=1), 1, rtol=1e-5)
    else:
        assert answer.attention is None


def test_signatures_are_named_after_the_verb(captioner):
    images = tf.zeros([2, 6, 6], tf.uint8)
    signatures = captioner.signatures()
    best = signatures["serving_default"].function(images=images)
    assert set(best) == {"caption", "score"}
    assert best["caption"][0].numpy().decode() == captioner.caption(images[0])
    assert set(signatures["beam"].function(images=images)) == {"captions", "scores"}
    assert ("attention" in signatures) == captioner.has_attention
    for signature in signatures.values():
        (spec,) = signature.inputs.values()
        assert (spec.dtype, spec.shape.as_list()) == (tf.uint8, [None, 6, 6])
        (example,) = signature.examples.values()
        assert example.dtype == np.uint8


def test_a_picture_can_be_told_on_the_console(captioner):
    (answer,) = captioner.console_answers([np.zeros([6, 6], np.uint8)], beam_size=1)
    assert answer.row["caption"] == answer.line
    with pytest.raises(ValueError, match="--attention"):
        captioner.console_answers([np.zeros([6, 6], np.uint8)], attention="table.png")
