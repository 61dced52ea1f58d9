"""BLEU and chrF of whole corpora by sacreBLEU, each with the signature that says how it counts.

BLEU: Papineni et al. 2002. sacreBLEU and its signatures: Post 2018. chrF: Popović 2015.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from zoo.extras import needed


class Score(NamedTuple):
    """A metric's value (0 to 100) and the signature that says how it was counted."""

    score: float
    signature: str


def cased_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Corpus BLEU as sacreBLEU counts it by default: cased, tokenised by 13a.

    Args:
        hypotheses: Translations, ordinary text.
        references: Raw reference sentences, one for each hypothesis.

    Returns:
        BLEU (0 to 100) and its sacreBLEU signature.

    Raises:
        TypeError: An argument is a single string or holds something else than strings.
        ValueError: The two differ in length, or there is nothing to score.
        ImportError: The library sacreBLEU is missing.
    """
    check_pairs(hypotheses, references=references)
    return corpus_score(needed("sacrebleu.metrics").BLEU(), hypotheses, references)[0]


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> Score:
    """Corpus chrF2: F-score of character n-grams, which forgives a wrong ending more than BLEU.

    Arguments, result (0 to 100) and errors are those of `cased_bleu`.
    """
    check_pairs(hypotheses, references=references)
    return corpus_score(needed("sacrebleu.metrics").CHRF(), hypotheses, references)[0]


def corpus_score(
    metric: Any, hypotheses: Sequence[str], references: Sequence[str]
) -> tuple[Score, Any]:
    """A metric's score with its signature, and all that sacreBLEU says of it.

    Args:
        metric: A metric of `sacrebleu.metrics`.
        hypotheses: Translations.
        references: One for each of them.
    """
    result = metric.corpus_score(list(hypotheses), [list(references)])
    return Score(float(result.score), str(metric.get_signature())), result


def check_pairs(hypotheses: Sequence[str], **others: Sequence[str]) -> None:
    """Raises TypeError or ValueError unless all are lists of as many strings, at least one."""
    for name, lines in {"hypotheses": hypotheses, **others}.items():
        if isinstance(lines, str | bytes):
            raise TypeError(f"`{name}` must be a list of strings. Received: {name}={lines!r}")
        wrong = next((line for line in lines if not isinstance(line, str)), None)
        if wrong is not None:
            raise TypeError(
                f"`{name}` must hold strings only. Received: {wrong!r} ({type(wrong).__name__})"
            )
        if len(lines) != len(hypotheses):
            raise ValueError(
                f"`{name}` must have one line for each of `hypotheses`. "
                f"Received: {len(lines)} lines and {len(hypotheses)} hypotheses"
            )
    if not hypotheses:
        raise ValueError("`hypotheses` must not be empty: there is nothing to score.")
