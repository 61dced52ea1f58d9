"""The vocabulary: of the size asked for, repeatable, or a clear error."""

import itertools

import pytest
import sentencepiece

from zoo.training.corpora.subwords import train_subwords

STEMS, ENDINGS = ["low", "slow", "new", "warm", "wide", "green"], ["", "er", "est", "ly", "ness"]
WORDS = ["".join(parts) for parts in itertools.product(STEMS, ENDINGS)]
SENTENCES = [" ".join(pair) for pair in itertools.permutations(WORDS, 2)]
SIZE = 300


@pytest.fixture(scope="module")
def model():
    return train_subwords(SENTENCES, SIZE)


def processor(model):
    return sentencepiece.SentencePieceProcessor(model_proto=model)


def test_the_same_sentences_give_the_same_model(model):
    assert model == train_subwords(iter(SENTENCES), SIZE)
    assert model != train_subwords(SENTENCES[:600], SIZE)


def test_the_vocabulary_has_the_size_asked_for_and_spells_bytes(model):
    pieces = processor(model)
    assert pieces.vocab_size() == SIZE
    assert pieces.piece_to_id("<0xF0>") != pieces.unk_id()


@pytest.mark.parametrize(
    ("sentences", "size"), [(["a dog"], 5000), (["a dog"], 10), ([], 305), (["", " "], 305)]
)
def test_sentences_that_give_no_such_vocabulary_are_told(sentences, size):
    with pytest.raises(ValueError, match=f"Received: vocabulary_size={size}"):
        train_subwords(sentences, size)
