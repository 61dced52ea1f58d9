"""What a model may offer: each rule with a model that breaks it."""

import numpy as np
import pytest
import tensorflow as tf

from tests.export.tiny_models import EXAMPLE, Offers, signature
from zoo import export
from zoo.export import ExportError
from zoo.models.base import Signature

TEXT = tf.TensorSpec([None], tf.string, name="text")


def echo(text):
    return {"echo": text}


def branching(text):
    return {"first": text if tf.size(text) > 1 else text[:1]}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (signature(echo, shape=()), r"batch, of any size, as first dimension"),
        (signature(echo, shape=(3,)), r"batch, of any size, as first dimension"),
        (signature(echo, dtype=tf.float16), "REST cannot carry input 'text'"),
        (signature(echo, example=np.array([1.0])), "example of input 'text' must fit .*float64"),
        (signature(echo, example=np.array([["a"]])), r"must fit .*shape=\(1, 1\)"),
        (signature(echo, example=EXAMPLE[:0]), "at least 1. Received: rows={'text': 0}"),
        (signature(echo, example=[["a"], ["b", "c"]]), "'text' must be one array.*non-rectangular"),
        (signature(echo, name="the text"), "letters, digits and underscores.*'the text'"),
        (signature(branching), "TensorFlow operations from end to end: use tf.cond"),
        (Signature(echo, {"text": TEXT}, {}), r"inputs=\['text'\], examples=\[\]"),
        (Signature(echo, {}, {}), "needs inputs"),
        (signature(lambda text: text), "must return a dict"),
        (signature(lambda text: {}), "must return a dict"),
        (signature(lambda text: {"words": tf.strings.split(text)}), "dense tensor.*Ragged"),
        (signature(lambda text: {"half": tf.ones_like(text, tf.float16)}), "'half'; cast it"),
        (signature(lambda text: {"rows": tf.size(text)}), "'rows' has no batch dimension"),
        (
            signature(lambda text: {"state": tf.ones([2, 3])}),
            "'state' must be the batch, .* always 2",
        ),
    ],
)
def test_a_broken_signature_is_told_and_not_published(tmp_path, broken, message):
    with pytest.raises(ExportError, match=f"signature 'serving_default'.*{message}"):
        export.saved_model(Offers(serving_default=broken), tmp_path / "base", verify=False)
    assert not (tmp_path / "base").exists()


def test_a_batch_dimension_lost_only_at_run_time_is_told(tmp_path):
    def every_second(text):
        return {"every_second": text[::2]}

    with pytest.raises(ExportError, match="'every_second' must be the batch, 3 here"):
        export.saved_model(Offers(serving_default=signature(every_second)), tmp_path / "base")
    assert not (tmp_path / "base").exists()


@pytest.mark.parametrize("model", [None, "nmt_attention", tf.Module()])
def test_a_model_without_signatures_is_told(tmp_path, model):
    with pytest.raises(ExportError, match=r"must offer signatures\(\)"):
        export.saved_model(model, tmp_path)


def test_a_model_without_the_default_signature_is_told(tmp_path):
    with pytest.raises(ExportError, match=r"'serving_default'.*signatures=\['other'\]"):
        export.saved_model(Offers(other=signature(echo)), tmp_path)


def test_inputs_need_the_same_number_of_rows(tmp_path):
    pair = Signature(
        lambda a, b: {"a": a},
        {"a": TEXT, "b": TEXT},
        {"a": EXAMPLE, "b": EXAMPLE[:2]},
    )
    with pytest.raises(ExportError, match=r"rows={'a': 3, 'b': 2}"):
        export.saved_model(Offers(serving_default=pair), tmp_path)
