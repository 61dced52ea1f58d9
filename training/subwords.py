"""Train a SentencePiece vocabulary, and draw segmentations from it (sub-word regularisation)."""

import io

import numpy as np
import sentencepiece

from zoo.text.subwords import END_ID, PAD_ID, START_ID, UNK_ID


def train_subwords(sentences, vocabulary_size):
    """A unigram SentencePiece model of the sentences.

    Args:
        sentences: iterable of strings, for a joint vocabulary those of both languages.
        vocabulary_size: int; 256 entries spell bytes, so that nothing is unknown.

    Returns:
        The serialised model, ``bytes``, for ``zoo.text.SubwordTokenizer``. The same sentences give
        the same model.

    Raises:
        ValueError: too little text for this vocabulary, or none.
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


class SubwordSampler:
    """Draws a segmentation of each word anew at each call: sub-word regularisation.

    Kudo (2018), "Subword Regularization": ``P(x | X)`` proportional to ``P(x) ** alpha`` over the
    best segmentations. Pieces never cross a blank, so a sentence is drawn word by word. That makes
    the draw cheap, and with a NumPy generator repeatable, unlike SentencePiece's own sampling.

    Args:
        model: the serialised SentencePiece model, ``bytes``.
        alpha: sharpness; 0 draws evenly, a large one takes the best always.
        best: segmentations of a word to draw from, an int.
    """

    def __init__(self, model, alpha=0.2, best=16):
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self._alpha, self._best = alpha, best
        self._words = {}

    def __call__(self, texts, rng):
        """Ids of each text, the end id last: a list of int32 arrays.

        Args:
            texts: list of strings.
            rng: ``numpy.random.Generator``.
        """
        texts = [self._processor.normalize(text).replace("▁", " ").split() for text in texts]
        draws = iter(rng.random(sum(map(len, texts))))
        return [
            np.concatenate([*(self._draw(word, next(draws)) for word in words), [END_ID]]).astype(
                np.int32
            )
            for words in texts
        ]

    def _draw(self, word, uniform):
        if word not in self._words:
            self._words[word] = self._segmentations(word)
        segmentations, cumulative = self._words[word]
        return segmentations[min(np.searchsorted(cumulative, uniform), len(segmentations) - 1)]

    def _segmentations(self, word):
        found = self._processor.nbest_encode(
            word, nbest_size=self._best, return_type="proto"
        ).nbests
        scores = self._alpha * np.array([segmentation.score for segmentation in found])
        weights = np.exp(scores - scores.max())
        ids = [np.array([piece.id for piece in segmentation.pieces]) for segmentation in found]
        return ids, np.cumsum(weights / weights.sum())
