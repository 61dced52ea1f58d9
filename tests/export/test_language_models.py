"""The language model through the whole export: all at once, and step by step from a state."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.models import LanguageModel
from zoo.text.vocabulary import WordVocabulary

TEXTS = ["the company said", "It rose 3.5 %.", "", "漢字 said"]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(5)
    words = WordVocabulary(["N", "rose", "the", "company", "said", "it", "%"])
    sizes = {"embedding_units": 8, "units": [9, 8], "projection": False, "cache_size": 3}
    model = LanguageModel(words, after_end=True, number_word="N", marks=False, **sizes)
    for weight in model.trainable_variables:  # large enough for words that differ
        weight.assign(2 * keras.random.normal(weight.shape, seed=len(weight.shape)))
    return model


@pytest.fixture(scope="module")
def served(model, exported):
    return tf.saved_model.load(str(exported(model))).signatures


def test_signatures_are_named_and_have_the_batch_first(served):
    assert set(served) == {"serving_default", "score", "start", "step"}
    for function in served.values():
        assert all(of.shape.rank and of.shape[0] is None for of in function.inputs[:1])


def test_steps_of_the_server_write_what_the_model_completes(served, model):
    answer = served["start"](text=tf.constant(TEXTS))
    written = [[] for _ in TEXTS]
    ended = np.zeros(len(TEXTS), bool)
    for _ in range(5):
        answer = served["step"](ids=answer["ids"], state=answer["state"])
        ended |= answer["ids"].numpy() == 0
        for row, token in enumerate(answer["token"].numpy()):
            if not ended[row]:
                written[row].append(token.decode())
    completed = model.complete(TEXTS, max_tokens=5, temperature=0)
    assert [" ".join(words) for words in written] == completed
    assert any(completed)


def test_scores_are_the_models(served, model):
    found = served["score"](text=tf.constant(TEXTS))
    for row, scored in enumerate(model.score(TEXTS)):
        assert found["lengths"][row] == len(scored.tokens)
        tokens = found["tokens"][row].numpy().tolist()[: len(scored.tokens)]
        assert [token.decode() for token in tokens] == scored.tokens
        assert float(found["perplexity"][row]) == pytest.approx(scored.perplexity, rel=1e-3)


@pytest.mark.parametrize("texts", [[], [""], ["", "?"]])
def test_batches_without_words(served, texts):
    for name in ("serving_default", "score", "start"):
        answers = served[name](text=tf.constant(texts, tf.string))
        assert {len(answer) for answer in answers.values()} == {len(texts)}


def test_ids_that_are_none_are_refused(served):
    begun = served["start"](text=tf.constant(["the"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="`ids` must be from 0 to 8"):
        served["step"](ids=tf.constant([9]), state=begun["state"])
