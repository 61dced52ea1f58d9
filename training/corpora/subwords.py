"""Trains a SentencePiece vocabulary."""

import io
from collections.abc import Iterable

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
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=model,
            vocab_size=vocabulary_size,
            model_type="unigram",
            character_coverage=1.0,
            byte_fallback=True,
            normalization_rule_name="nfkc",
            pad_id=PAD_ID,
            unk_id=UNK_ID,
            bos_id=START_ID,
            eos_id=END_ID,
            minloglevel=2,
        )
    except RuntimeError as error:
        raise ValueError(
            f"`vocabulary_size` does not fit the sentences; try a smaller one. "
            f"Received: vocabulary_size={vocabulary_size} ({error})"
        ) from error
    return model.getvalue()
