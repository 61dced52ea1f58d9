"""The callback that measures gradients: the right norms, in any `fit`, and no trace afterwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.models import LanguageModel
from zoo.models.gradient_norms import GradientNorms
from zoo.text.vocabulary import WordVocabulary
from zoo.training.loop.aligned_batches import AlignedText
from zoo.training.loop.truncated_bptt import TruncatedBPTT


def scalars(folder):
    """What was written: `{tag: {step: value}}`."""
    found = {}
    for path in folder.glob("events*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                number = float(tf.make_ndarray(value.tensor))
                found.setdefault(value.tag, {})[event.step] = number
    return found


def test_norms_and_share_are_those_of_the_gradients(tmp_path):
    """A linear model of one input, whose gradients are known."""
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, use_bias=False)])
    model.compile(keras.optimizers.SGD(0.0, global_clipnorm=5.0), loss="mse")
    model.layers[0].set_weights([np.zeros([1, 1])])
    x, y = np.ones([4, 1]), np.array([[1.0], [2.0], [3.0], [4.0]])
    model.fit(x, y, batch_size=1, shuffle=False, verbose=0)  # a step is traced already
    measure = GradientNorms(tmp_path, every=2)
    history = model.fit(
        x, y, batch_size=1, shuffle=False, epochs=2, verbose=0, callbacks=[measure]
    ).history
    # Of (w - y)^2 at w = 0: -2 y.
    np.testing.assert_allclose(history["gradient_norm"], [5.0, 5.0], rtol=1e-5)
    assert history["clipped"] == [0.5, 0.5]
    written = scalars(tmp_path)
    name = model.layers[0].name
    assert written["gradient_norm/all"] == pytest.approx({6: 4.0, 8: 8.0, 10: 4.0, 12: 8.0})
    assert any(tag == f"gradient_norm/{name}" or "dense" in tag for tag in written)
    assert written["gradients_of_epoch/clipped"] == {8: 0.5, 12: 0.5}
    assert "apply" not in vars(model.optimizer)
    again = model.fit(x, y, batch_size=1, verbose=0).history
    assert "gradient_norm" not in again


def test_a_trainer_shows_the_layers_of_its_network():
    keras.utils.set_random_seed(1)
    network = LanguageModel(
        WordVocabulary(["a", "b"]), 4, [4, 4], projection=False, dropout=0.0, negatives=0
    )
    text = AlignedText(np.arange(24) % 4, rows=2, steps=6)
    trainer = TruncatedBPTT(network, rows=2)
    trainer.compile(keras.optimizers.SGD(0.1))
    measure = GradientNorms(every=1)
    history = trainer.fit(
        text.dataset([1]), steps_per_epoch=2, verbose=0, callbacks=[measure]
    ).history
    names, (*layers, everything) = zip(*measure.last.items(), strict=True)
    assert names == ("network/embedding", "network/encoder", "network/bias", "all")
    assert all(norm > 0 for norm in layers)
    assert everything == pytest.approx(np.sqrt(np.sum(np.square(layers))), rel=1e-5)
    assert history["gradient_norm"][0] > 0
    assert "clipped" not in history  # which this optimizer does not


def test_a_number_that_cannot_be_is_told():
    with pytest.raises(ValueError, match="`every` must be an int of at least 1"):
        GradientNorms(every=0)
