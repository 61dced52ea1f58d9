"""F1 in the graph is seqeval's strict F1, in whatever batches and padding the tags come."""

import numpy as np
import pytest
import tensorflow as tf
from seqeval.metrics import f1_score
from seqeval.scheme import IOB2

from zoo.models.entity_f1 import EntityF1
from zoo.text.tags import iobes_tags, to_bio

TAGS = iobes_tags(["LOC", "PER"])
UNKNOWN = 7  # what stands in the padding must not matter


def batch(rows, width):
    """Rows of tags as padded ids."""
    ids = [[TAGS.index(tag) for tag in row] + [UNKNOWN] * (width - len(row)) for row in rows]
    return np.array(ids, np.int32)


def f1(given, found, size=None, extra=0):
    metric = EntityF1()
    for start in range(0, len(given), size or len(given)):
        rows = given[start:][: size or len(given)]
        width = max(map(len, rows)) + extra
        columns = [batch(of[start:][: len(rows)], width) for of in (given, found)]
        metric.update_state(*columns, tf.constant([len(row) for row in rows]))
    return float(metric.result())


@pytest.mark.parametrize("seed", range(4))
def test_is_seqevals_whatever_the_batches(seed):
    """Random tags of any sequence, so also those that a softmax could give."""
    random = np.random.default_rng(seed)
    lengths = [5, 1, 0, 9, 3, 7, 2]
    given = [list(random.choice(TAGS, length)) for length in lengths]
    # Near enough to be right now and then.
    found = [[t if random.random() < 0.8 else random.choice(TAGS) for t in row] for row in given]
    expected = f1_score(
        *([to_bio(row) for row in of] for of in (given, found)), scheme=IOB2, mode="strict"
    )
    assert 0 < expected < 1
    assert f1(given, found) == pytest.approx(expected)
    assert f1(given, found, size=2, extra=3) == pytest.approx(expected)


def test_type_and_both_ends_must_be_right():
    given = [["O", "B-PER", "E-PER", "O"]]
    assert f1(given, given) == 1
    for row in (
        ["O", "B-LOC", "E-LOC", "O"],
        ["O", "S-PER", "O", "O"],
        ["O", "O", "S-PER", "O"],
        ["O", "S-PER", "S-PER", "O"],
        ["O", "B-PER", "I-PER", "E-PER"],
    ):
        assert f1(given, [row]) == 0, row


def test_an_entity_ends_with_its_row():
    given, found = [["S-PER"], ["S-PER"]], [["B-PER"], ["E-PER"]]
    assert f1(given, found) == 1


def test_no_entity_at_all_is_0_and_a_reset_forgets():
    metric = EntityF1()
    assert float(metric.result()) == 0
    metric.update_state(batch([["O", "O"]], 2), batch([["O", "O"]], 2), tf.constant([2]))
    assert float(metric.result()) == 0
    metric.update_state(batch([["S-PER"]], 1), batch([["S-PER"]], 1), tf.constant([1]))
    assert float(metric.result()) == 1
    metric.reset_state()
    assert float(metric.result()) == 0
