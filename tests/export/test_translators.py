"""The zoo's translators through the whole export, at a tiny size and untrained."""

import numpy as np
import pytest
import tensorflow as tf

from tests import corpus
from tests.export.tiny_models import meta_graph, signature_names
from zoo import export

TEXTS = [
    "A dog runs in the snow.",
    "two men",
    "",
    "A woman reads.\n\nA d\u00adog’s bone in the park. A man",
]
ATTENTION_OUTPUTS = {
    "translation": (tf.string, 1),
    "score": (tf.float32, 1),
    "low_confidence": (tf.bool, 1),
    "source_tokens": (tf.string, 2),
    "target_tokens": (tf.string, 2),
    "attention": (tf.float32, 3),
    "source_lengths": (tf.int32, 1),
    "target_lengths": (tf.int32, 1),
}


@pytest.fixture(scope="module")
def served(exported_translator):
    return tf.saved_model.load(str(exported_translator)).signatures


def test_signatures_and_their_outputs(served):
    outputs = {
        name: {key: (t.dtype, t.shape.rank) for key, t in function.structured_outputs.items()}
        for name, function in served.items()
    }
    assert outputs == {
        "serving_default": {
            "translation": (tf.string, 1),
            "score": (tf.float32, 1),
            "low_confidence": (tf.bool, 1),
        },
        "beam": {
            "translations": (tf.string, 2),
            "scores": (tf.float32, 2),
            "low_confidence": (tf.bool, 1),
        },
        "attention": ATTENTION_OUTPUTS,
    }


def test_gradients_written_by_hand_are_not_exported(exported_translator):
    assert not meta_graph(exported_translator).graph_def.library.registered_gradients


def test_translates_as_the_model_does(served, translator):
    own = translator.translate(TEXTS, return_attention=True)
    got = served["attention"](text=tf.constant(TEXTS))
    assert [text.decode() for text in got["translation"].numpy()] == [row.text for row in own]
    for row, expected in enumerate(own):
        height, width = expected.attention.shape
        assert (got["target_lengths"][row], got["source_lengths"][row]) == (height, width)
        assert got["low_confidence"][row] == expected.low_confidence
        np.testing.assert_allclose(got["attention"][row, :height, :width], expected.attention, 1e-4)


def test_a_batch_without_rows(served):
    for function in served.values():
        answers = function(text=tf.zeros([0], tf.string))
        assert {len(answer) for answer in answers.values()} == {0}


def test_the_vanilla_translator_has_no_attention_signature(tokenizer, tmp_path):
    folder = export.saved_model(corpus.tiny_vanilla(tokenizer), tmp_path, verify=False)
    assert signature_names(folder) == {"serving_default", "beam"}
