"""Verbs from several threads at once: one model, and two, answer as one after the other."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import keras
import pytest

from tests import corpus

TEXTS = ["The film was good.", "a dull ending", "", "The music was clever, and I sat there."]


def together(*calls):
    """What the calls give, each in a thread of its own, all started at the same moment."""
    start = Barrier(len(calls))

    def run(call):
        start.wait(60)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(300) for future in [pool.submit(run, call) for call in calls]]


@pytest.fixture(scope="module")
def models(tokenizer):
    """Functions from texts to answers, of models that have not run yet."""
    keras.utils.set_random_seed(3)
    classifier = corpus.loud(corpus.tiny_sentiment())
    translator = corpus.loud(corpus.tiny_vanilla(tokenizer))
    return classifier.classify, lambda texts: translator.translate(texts, beam_size=2)


def test_threads_get_the_answers_of_their_own_texts(models):
    classify, translate = models
    # At the first call the graphs are traced: in all threads at once, too.
    calls = [(verb, texts) for texts in (TEXTS, TEXTS[::-1]) for verb in (classify, translate)]
    found = together(*(lambda verb=verb, texts=texts: verb(texts) for verb, texts in calls))
    expected = [verb(texts) for verb, texts in calls]
    assert found == expected
    assert found[0] == found[2][::-1] != found[2]


def test_calls_that_read_numbers_differently_do_not_meet():
    """What one call takes integers for says nothing of another that runs meanwhile."""
    keras.utils.set_random_seed(3)
    model = corpus.loud(corpus.tiny_sentiment(labels=["ham", "spam", "promo"]))
    expected = model.evaluate(TEXTS, ["spam", "ham", "promo", "ham"], verbose=0)

    def meant():
        return [
            model.evaluate(TEXTS, [1, 0, 2, 0], labels_are_numbers=True, verbose=0)
            for _ in range(5)
        ]

    def refused():
        for _ in range(200):
            with pytest.raises(ValueError, match="labels_are_numbers=True"):
                model.evaluate(TEXTS, [1, 0, 2, 0], verbose=0)

    found, _ = together(meant, refused)
    assert found == [pytest.approx(expected, rel=1e-4)] * 5
