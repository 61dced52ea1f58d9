"""Aligned rows: every word is predicted once in an epoch, after the word that stands before it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.training.loop.aligned_batches import AlignedText, padded_rows

sizes = st.tuples(st.integers(1, 60), st.integers(1, 7), st.integers(1, 9)).filter(
    lambda of: of[1] <= of[0]
)


def joined(batches):
    """Tokens and targets of an epoch, `[rows, length]` each."""
    tokens, targets, _ = zip(*batches, strict=True)
    return np.concatenate(tokens, axis=1), np.concatenate(targets, axis=1)


@given(sizes, st.booleans())
def test_rows_go_on_where_they_ended(of, rolled):
    words, rows, steps = of
    ids = np.arange(1, words + 1)
    text = AlignedText(ids, rows, steps, seed=3, rolled=rolled)
    batches = list(text.epoch(2))
    assert len(batches) == text.batches
    assert {batch[0].shape[1] for batch in batches[:-1]} <= {steps}
    assert [fresh.tolist() for *_, fresh in batches] == [
        [place == 0] * rows for place in range(len(batches))
    ]
    tokens, targets = (of.ravel() for of in joined(batches))
    # Read along, row after row, it is the text; what is left out is less than a word a row.
    before = np.append(words if rolled else 0, ids)
    expected = np.where(targets == 1, before[0], targets - 1)
    np.testing.assert_array_equal(tokens, expected)
    assert len(set(targets)) == len(targets) > words - rows
    step = np.diff(targets)
    assert set(step) <= {1, 1 - words}


def test_epochs_are_rolled_by_seed_and_number_alone():
    text = AlignedText(np.arange(40), 2, 5, seed=1, rolled=True)
    first, second = joined(text.epoch(1))[1], joined(text.epoch(2))[1]
    np.testing.assert_array_equal(joined(text.epoch(1))[1], first)
    assert not np.array_equal(first, second)


def test_a_data_set_has_the_epochs_one_after_the_other():
    text = AlignedText(np.arange(1, 12), 2, 3)
    batches = list(text.dataset([1, 2]))
    assert len(batches) == 2 * text.batches == 4
    inputs, targets = batches[3]
    np.testing.assert_array_equal(inputs["tokens"], [[3, 4], [8, 9]])
    np.testing.assert_array_equal(targets, [[4, 5], [9, 10]])
    np.testing.assert_array_equal(inputs["fresh"], [False, False])
    np.testing.assert_array_equal(batches[2][0]["fresh"], [True, True])


@pytest.mark.parametrize(("rows", "steps"), [(0, 5), (9, 5), (2, 0)])
def test_too_little_text_is_told(rows, steps):
    with pytest.raises(ValueError, match=rf"Received: rows={rows}, steps={steps} and 8 words"):
        AlignedText(np.arange(8), rows, steps)


@given(st.integers(1, 40), st.integers(1, 9))
def test_measuring_leaves_no_word_out(words, rows):
    ids = np.arange(1, words + 1, dtype=np.int32)
    tokens, targets, lengths = padded_rows(ids, rows)
    real = np.arange(targets.shape[1]) < lengths[:, np.newaxis]
    np.testing.assert_array_equal(targets[real], ids)
    np.testing.assert_array_equal(tokens[real], ids - 1)
    assert not targets[~real].any()
