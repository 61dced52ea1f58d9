"""Low confidence: the signs against a count by hand, and who tells of it."""

import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from tests import corpus
from zoo.drawing import answers
from zoo.models.doubt import DoubtThresholds, checked_thresholds, is_doubtful, signs_of_doubt

NEVER = {"score": -1e9, "repetition": 2.0, "copied": 2.0}
ids = st.lists(st.integers(4, 7), max_size=8)


def pairs(row):
    return list(itertools.pairwise(row))


def share_of_pairs(row, known):
    """Of a row's ids, those in a pair that is among the pairs known at its place."""
    inside = set()
    for place, (pair, others) in enumerate(zip(pairs(row), known, strict=True)):
        if pair in others:
            inside |= {place, place + 1}
    return len(inside) / len(row) if row else 0.0


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(ids, ids), min_size=1, max_size=4))
def test_signs_are_those_counted_by_hand(rows):
    sources, targets = zip(*rows, strict=True)
    source = tf.ragged.constant([[*row, 3] for row in sources], tf.int32)
    target = tf.ragged.constant(targets, tf.int32, ragged_rank=1)
    signs = signs_of_doubt(
        source.to_tensor(0),
        tf.cast(source.row_lengths(), tf.int32),
        target.to_tensor(0),
        tf.cast(target.row_lengths(), tf.int32),
        tf.zeros([len(rows)]),
    )
    for row, (own, written) in enumerate(rows):
        own_pairs = pairs(written)
        copied = share_of_pairs(written, [pairs(own)] * len(own_pairs))
        repeated = share_of_pairs(written, [own_pairs[:place] for place in range(len(own_pairs))])
        assert float(signs.copied[row]) == pytest.approx(copied)
        assert float(signs.repetition[row]) == pytest.approx(repeated)


def test_each_sign_alone_is_enough():
    signs = DoubtThresholds(
        *(
            tf.constant(of)
            for of in ([-0.1, -0.9, -0.1, -0.1], [0.0, 0.0, 0.9, 0.0], [0.0, 0.0, 0.0, 0.9])
        )
    )
    thresholds = DoubtThresholds(-0.5, 0.5, 0.5)
    assert is_doubtful(signs, thresholds).numpy().tolist() == [False, True, True, True]


@pytest.fixture(scope="module", params=["sure", "unsure"])
def translator(request, tokenizer):
    doubt = NEVER if request.param == "sure" else {"score": 1.0}
    return corpus.tiny_attention(tokenizer, doubt=doubt), request.param == "unsure"


def test_verb_and_signatures_tell_of_it(translator):
    model, doubtful = translator
    texts = ["A dog runs.", "A woman reads. A dog runs.", " "]
    expected = [doubtful, doubtful, False]
    answers = model.translate(texts, return_attention=True)
    assert [answer.low_confidence for answer in answers] == expected
    for signature in model.signatures().values():
        told = signature.function(text=tf.constant(texts))["low_confidence"]
        assert (told.dtype, told.numpy().tolist()) == (tf.bool, expected)


@pytest.mark.parametrize("colours", ["truecolor", None])
def test_a_terminal_shows_it_and_a_pipe_gets_the_text_alone(translator, monkeypatch, colours):
    model, doubtful = translator
    monkeypatch.setattr(answers, "Console", lambda: SimpleNamespace(color_system=colours))
    (shown,) = model.console_answers([b"A dog runs."])
    assert shown.row["low_confidence"] == doubtful
    told = f"{shown.row['translation']}  (low confidence)"
    assert str(shown.line) == (told if doubtful and colours else shown.row["translation"])


def test_one_doubtful_sentence_is_enough(tokenizer):
    model = corpus.tiny_attention(tokenizer)
    texts = ["A dog runs.", "A woman reads in the park at home."]
    scores = [answer.score for answer in model.translate(texts, return_attention=True)]
    assert scores[0] != scores[1]
    model.doubt = DoubtThresholds(**{**NEVER, "score": float(np.mean(scores))})
    low = model.translate([*texts, " ".join(texts)], return_attention=True)
    assert sorted(answer.low_confidence for answer in low[:2]) == [False, True]
    assert low[2].low_confidence


def test_thresholds_are_saved_and_folders_without_them_load(tokenizer, tmp_path):
    zoo.save(corpus.tiny_attention(tokenizer, doubt={"score": -0.25}), tmp_path / "new")
    assert zoo.load(tmp_path / "new").doubt == DoubtThresholds(score=-0.25)
    path = tmp_path / "new" / "config.json"
    config = json.loads(path.read_text())
    del config["config"]["doubt"]
    path.write_text(json.dumps(config))
    assert zoo.load(tmp_path / "new").doubt == DoubtThresholds()


@pytest.mark.parametrize(
    ("doubt", "error", "message"),
    [
        ({"scores": -1.0}, ValueError, "`doubt` must have the keys score, repetition, copied"),
        ({"score": "low"}, TypeError, r"`doubt` must hold numbers. Received: score='low'"),
        ({"score": True}, TypeError, "score=True"),
    ],
)
def test_bad_thresholds_are_named(doubt, error, message):
    with pytest.raises(error, match=message):
        checked_thresholds(doubt)
