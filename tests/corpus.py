"""A made-up corpus and tiny models of it, shared by tests of several rooms."""

import itertools

import keras

from zoo.models import NER, LanguageModel, NMTAttention, NMTVanilla, TextClassifier
from zoo.text.subwords import SubwordTokenizer
from zoo.text.vocabulary import CharacterVocabulary, WordVocabulary
from zoo.training.corpora.subwords import train_subwords

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


THINGS = ("film", "plot", "cast", "music", "ending")
PRAISE = ("good", "warm", "funny", "clever", "moving")
BLAME = ("bad", "dull", "noisy", "silly", "endless")


def reviews():
    """50 reviews and their labels."""
    return [
        (f"The {thing} was {word}, and I sat there with my hat on.", label)
        for thing in THINGS
        for label, words in (("negative", BLAME), ("positive", PRAISE))
        for word in words
    ]


def tiny_sentiment(**arguments):
    words = sorted({"the", "was", "and", "i", ",", ".", "0000", "我", *THINGS, *PRAISE, *BLAME})
    sizes = {"embedding_units": 8, "units": 6, "attention_units": 5}
    return TextClassifier(WordVocabulary(words), **{**sizes, **arguments})


def tiny_ner(**arguments):
    sizes = {"word_units": 6, "character_units": 4, "spelling_units": 5, "units": 6}
    words = WordVocabulary(["in", "the", "was", "."])
    return NER(words, CharacterVocabulary("aeiouAEINSUdlmnrtw."), **{**sizes, **arguments})


def tiny_language_model(**arguments):
    """An untrained one that is sure enough of itself for words that differ."""
    words = ["N", "rose", "fell", "the", "company", "said", "it", "a", "bank", "and"]
    sizes = {"embedding_units": 8, "units": [9, 8], "projection": False}
    reading = {"after_end": True, "number_word": "N", "marks": False, "negatives": 0}
    model = LanguageModel(WordVocabulary(words), **{**sizes, **reading, **arguments})
    for seed, weight in enumerate(model.trainable_variables, 120):
        size = 0.5 if weight.path.endswith("bias") else 3.0
        weight.assign(size * keras.random.normal(weight.shape, seed=seed))
    return model


def loud(model):
    """The model with all weights five times as large: nothing it reads is lost in rounding."""
    model.set_weights([5 * weight for weight in model.get_weights()])
    return model
