"""Trains a SentencePiece vocabulary: of sub-words, or of whole words."""

import collections
import io
from collections.abc import Iterable, Sequence
from typing import Any

from zoo.extras import extra
from zoo.text.subwords import END_ID, PAD_ID, START_ID, UNK_ID

with extra("training"):
    import sentencepiece


def train_subwords(sentences: Iterable[str], vocabulary_size: int) -> bytes:
    """A unigram SentencePiece model of the sentences.

    Args:
        sentences: For a joint vocabulary those of both languages.
        vocabulary_size: Number of sub-words; 256 entries spell bytes, so that nothing is unknown.

    Returns:
        The serialised model, for `zoo.text.SubwordTokenizer`. The same sentences give
        the same model.

    Raises:
        ValueError: Too little text for this vocabulary, or none.
    """
    return _train(
        sentences,
        vocabulary_size,
        model_type="unigram",
        byte_fallback=True,
        normalization_rule_name="nfkc",
    )


def train_words(sentences: Sequence[str], least_count: int) -> bytes:
    """A SentencePiece model of whole words, in lower case.

    Args:
        sentences: Words with blanks in between, as `zoo.text.captions.plain_words` gives them.
        least_count: How often a word must be there; others are unknown.

    Returns:
        The serialised model, for `zoo.text.SubwordTokenizer`.

    Raises:
        ValueError: No word is there as often.
    """
    counts = collections.Counter(
        word for sentence in sentences for word in sentence.casefold().split()
    )
    frequent = sum(count >= least_count for count in counts.values())
    if not frequent:
        raise ValueError(
            f"`sentences` must have words that are there {least_count} times. "
            f"Received: {len(sentences)} sentences with {len(counts)} words"
        )
    special = len({PAD_ID, UNK_ID, START_ID, END_ID})
    return _train(
        sentences,
        special + frequent,
        model_type="word",
        normalization_rule_name="nmt_nfkc_cf",
    )


def _train(sentences: Iterable[str], vocabulary_size: int, **options: Any) -> bytes:
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=model,
            vocab_size=vocabulary_size,
            character_coverage=1.0,
            pad_id=PAD_ID,
            unk_id=UNK_ID,
            bos_id=START_ID,
            eos_id=END_ID,
            minloglevel=2,
            **options,
        )
    except RuntimeError as error:
        raise ValueError(
            f"`vocabulary_size` does not fit the sentences; try a smaller one. "
            f"Received: vocabulary_size={vocabulary_size} ({error})"
        ) from error
    return model.getvalue()
