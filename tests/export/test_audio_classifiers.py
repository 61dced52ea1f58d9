"""A classifier of recordings through the whole export: WAV bytes in, a label out."""

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.audio.recordings import notes, scipys
from tests.zoo.models.tiny_audio import LABELS, some, tiny_classifier

AUDIO, _ = some(5)


@pytest.fixture(scope="module")
def model():
    return tiny_classifier()


@pytest.fixture(scope="module")
def served(model, exported):
    """Not verified in a process of its own: the preset is, when it is served."""
    return tf.saved_model.load(str(exported(model, verify=False))).signatures


def test_bytes_in_gives_what_the_verb_gives(model, served):
    contents = [*AUDIO, scipys(np.stack([notes(48_000)] * 2, axis=1).astype(np.float32), 48_000)]
    assert set(served) == {"serving_default", "attention"}
    for name, signature in served.items():
        _, inputs = signature.structured_input_signature
        assert {key: spec.shape.as_list() for key, spec in inputs.items()} == {
            "audio_bytes": [None]
        }
        found = signature(audio_bytes=tf.constant(contents))
        for row, answer in enumerate(model.classify(contents)):
            assert found["label"][row].numpy().decode() == answer.label, name
            assert found["score"][row].numpy() == pytest.approx(answer.score, abs=1e-5)
            expected = list(answer.probabilities.values())
            np.testing.assert_allclose(found["probabilities"][row], expected, atol=1e-5)
            assert [label.decode() for label in found["labels"][row].numpy()] == LABELS
    for row, heard in enumerate(model.listen(contents)):
        length = found["lengths"][row]
        np.testing.assert_allclose(found["frames"][row, :length], heard.frames, atol=1e-3)
        np.testing.assert_allclose(found["weights"][row, :length], heard.weights, atol=1e-5)


def test_a_wrong_recording_is_named_by_its_place(served):
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"instances\[1\] is a WAV whose end"):
        served["serving_default"](audio_bytes=tf.constant([AUDIO[0], AUDIO[0][:-5]]))
