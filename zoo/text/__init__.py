"""Raw strings to ids and back, inside the graph."""

from zoo.text.subwords import SubwordTokenizer
from zoo.text.vocabulary import CharacterVocabulary, WordVocabulary, normal_form
from zoo.text.words import Words, WordTokenizer

__all__ = [
    "CharacterVocabulary",
    "SubwordTokenizer",
    "WordTokenizer",
    "WordVocabulary",
    "Words",
    "normal_form",
]
