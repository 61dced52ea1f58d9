"""A made-up corpus and tiny models of it, shared by tests of several rooms."""

import itertools

from training.subwords import train_subwords
from zoo.models import NMTAttention, NMTVanilla
from zoo.text.subwords import SubwordTokenizer

SUBJECTS = {"a dog": "ein Hund", "a man": "ein Mann", "a woman": "eine Frau", "a boy": "ein Junge"}
VERBS = {"runs": "läuft", "sleeps": "schläft", "reads": "liest", "waits": "wartet"}
PLACES = {"in the park": "im Park", "in the snow": "im Schnee", "at home": "zu Hause", "": ""}


def sentence_pairs():
    """64 English-German pairs, without an accident of word order: learnt in a minute."""
    return [
        tuple(
            " ".join(filter(None, words)).capitalize() + "." for words in zip(*parts, strict=True)
        )
        for parts in itertools.product(SUBJECTS.items(), VERBS.items(), PLACES.items())
    ]


def tiny_tokenizer():
    return SubwordTokenizer(train_subwords([t for p in sentence_pairs() for t in p], 305))


def tiny_attention(tokenizer, **arguments):
    sizes = {"embedding_units": 12, "encoder_units": 10, "decoder_units": 14, "attention_units": 8}
    return NMTAttention(tokenizer, **sizes, **arguments)


def tiny_vanilla(tokenizer):
    return NMTVanilla(tokenizer, embedding_units=12, units=16, layers=2)
