"""Tag schemes: one reader for all, and transitions that fit exactly what the writer writes."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from zoo.text.tags import (
    chunk_edges,
    chunks,
    iobes_ids,
    iobes_tags,
    iobes_transitions,
    to_bio,
    to_iobes,
)

TYPES = ["LOC", "PER"]
SCHEMES = {
    "iob1": ["I-ORG", "I-ORG", "I-ORG", "O", "I-LOC", "B-LOC", "B-LOC"],
    "bio": ["B-ORG", "I-ORG", "I-ORG", "O", "B-LOC", "B-LOC", "B-LOC"],
    "iobes": ["B-ORG", "I-ORG", "E-ORG", "O", "S-LOC", "S-LOC", "S-LOC"],
}


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_example_of_the_docstring_in_every_scheme(scheme):
    tags = SCHEMES[scheme]
    assert chunks(tags) == [("ORG", 0, 3), ("LOC", 4, 5), ("LOC", 5, 6), ("LOC", 6, 7)]
    assert to_bio(tags) == SCHEMES["bio"]
    assert to_iobes(tags) == SCHEMES["iobes"]


def test_a_change_of_type_closes_a_chunk():
    assert chunks(["I-PER", "I-LOC", "E-LOC", "E-LOC"]) == [
        ("PER", 0, 1),
        ("LOC", 1, 3),
        ("LOC", 3, 4),
    ]
    assert chunks(["S-PER", "I-PER"]) == [("PER", 0, 1), ("PER", 1, 2)]
    assert chunks([]) == to_bio([]) == to_iobes([]) == []


@given(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "E-PER", "S-PER", "B-LOC", "I-LOC"])))
def test_writing_keeps_the_chunks_of_any_sequence(tags):
    found = chunks(tags)
    assert chunks(to_bio(tags)) == chunks(to_iobes(tags)) == found
    assert to_bio(to_iobes(tags)) == to_bio(tags)
    assert all(end <= start for (_, _, end), (_, start, _) in itertools.pairwise(found))


def test_the_transitions_allow_exactly_the_sequences_that_are_well_formed():
    """Every sequence of up to four tags: it may be walked if and only if it writes itself."""
    names = iobes_tags(TYPES)
    assert names == [*("O", "B-LOC", "I-LOC", "E-LOC", "S-LOC", "B-PER", "I-PER", "E-PER", "S-PER")]
    allowed = iobes_transitions(TYPES)
    edge = len(names)
    assert allowed.shape == (edge + 1, edge + 1)
    assert allowed.dtype == np.bool_
    for length in range(1, 5):
        for path in itertools.product(range(edge), repeat=length):
            tags = [names[tag] for tag in path]
            walks = all(allowed[move] for move in itertools.pairwise([edge, *path, edge]))
            assert walks == (to_iobes(tags) == tags), tags


@given(st.lists(st.lists(st.sampled_from(range(9)), max_size=6), max_size=4))
def test_the_graph_finds_the_chunks_that_python_finds(rows):
    names = iobes_tags(TYPES)
    flat = tf.constant([tag for row in rows for tag in row], tf.int32)
    sentence_starts = tf.constant(
        [place == 0 for row in rows for place in range(len(row))], tf.bool
    )
    starts, ends = (np.flatnonzero(edge) for edge in chunk_edges(flat, sentence_starts))
    expected, offset = [], 0
    for row in rows:
        found = chunks([names[tag] for tag in row])
        expected += [(kind, start + offset, end + offset) for kind, start, end in found]
        offset += len(row)
    kinds = [TYPES[(int(flat[start]) - 1) // 4] for start in starts]
    assert list(zip(kinds, starts, ends + 1, strict=True)) == expected
    in_iobes = [tag for row in rows for tag in to_iobes([names[tag] for tag in row])]
    assert [names[tag] for tag in iobes_ids(flat, sentence_starts)] == in_iobes


@pytest.mark.parametrize("tag", ["B", "B-", "X-PER", "PER", "", "o", None, 3, "BPER", b"O"])
def test_what_is_no_tag_is_named_with_its_place(tag):
    with pytest.raises(ValueError, match=r"Received: .* at position 1") as error:
        to_iobes(["O", tag])
    assert repr(tag) in str(error.value)
