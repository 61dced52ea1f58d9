"""Translation quality: BLEU as the WMT17 multimodal task counted it.

Two figures of BLEU that must never be mixed up:

* `lowercased_tokenised_bleu`: text lower-cased, punctuation-normalised and tokenised by Moses. This
  is what the published Multi30k results are measured in (its `tok/*.lc.norm.tok.de` references).
* `zoo.reports.bleu.cased_bleu`: sacreBLEU on the text as a reader sees it, with sacreBLEU's own
  tokeniser (13a).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from zoo.extras import extra
from zoo.reports.bleu import Score, check_pairs, corpus_score

with extra("training"):
    from sacrebleu.metrics import BLEU
    from sacremoses import MosesPunctNormalizer, MosesTokenizer

SOURCE_LENGTH_EDGES = (8, 10, 12, 14, 17, 21)  # words; about equal shares of Multi30k's captions


@cache
def _moses(language: str) -> tuple[MosesPunctNormalizer, MosesTokenizer]:
    return MosesPunctNormalizer(language), MosesTokenizer(language)


def moses_lowercase_normalise_tokenise(sentence: str, language: str = "de") -> str:
    """Gives a raw sentence the form of Multi30k's `lc.norm.tok` files.

    Lower-case, then Moses's `normalize-punctuation`, then its `tokenizer` (which writes `"` as
    `&quot;`). Run on Multi30k's raw German validation and test files it gives the official
    tokenised files, line by line.

    Args:
        sentence: One sentence of ordinary text.
        language: ISO code of its language; normaliser and tokeniser depend on it.

    Returns:
        Lower-case tokens separated by single spaces; empty for a blank sentence.

    Example:
        >>> moses_lowercase_normalise_tokenise("Ein „Hund“, der bellt.")
        'ein &quot; hund &quot; , der bellt .'
    """
    normaliser, tokeniser = _moses(language)
    # Moses's Perl script sees the line's end, and a rule for a quotation's end needs it there.
    normalised = normaliser.normalize(sentence.lower() + "\n").strip()
    return tokeniser.tokenize(normalised, return_str=True)


def lowercased_tokenised_bleu(hypotheses: Sequence[str], references_tok: Sequence[str]) -> Score:
    """Corpus BLEU on lower-cased, Moses-normalised and tokenised German.

    Comparable with the text-only results of the WMT17 multimodal task (Elliott et al. 2017).

    Args:
        hypotheses: Translations as the model gives them: ordinary cased text, not tokenised.
        references_tok: The lines of `tok/*.lc.norm.tok.de`, one for each hypothesis.

    Returns:
        BLEU (0 to 100) and its sacreBLEU signature (`case:lc`, `tok:none`).

    Raises:
        TypeError: An argument is a single string or holds something else than strings.
        ValueError: The two differ in length, or there is nothing to score.
    """
    check_pairs(hypotheses, references_tok=references_tok)
    tokenised = [moses_lowercase_normalise_tokenise(hypothesis) for hypothesis in hypotheses]
    # `force` only silences sacreBLEU's hint that the text is tokenised: here it must be.
    metric = BLEU(lowercase=True, tokenize="none", force=True)
    return corpus_score(metric, tokenised, references_tok)[0]


def bleu_by_source_length(
    sources: Sequence[str],
    hypotheses: Sequence[str],
    references_tok: Sequence[str],
    edges: Sequence[int] = SOURCE_LENGTH_EDGES,
) -> list[dict[str, Any]]:
    """BLEU for short, middling and long sources apart: the case for attention.

    Bahdanau et al. 2015 (figure 2) draw it: a decoder that sees the last state only loses long
    sentences. Each bucket's figure is a corpus BLEU of that bucket, so the buckets do not average
    to the whole corpus's BLEU.

    Args:
        sources: Source sentences; a length is the number of words between white space.
        hypotheses: Their translations, ordinary text.
        references_tok: Lower-cased tokenised references, as for `lowercased_tokenised_bleu`.
        edges: Rising word counts; bucket i holds lengths from `edges[i-1]` to `edges[i] - 1`.

    Returns:
        `len(edges) + 1` dicts with `from` (words), `to` (words, inclusive; None: no limit),
        `sentences`, `mean_words` and `bleu`; the last two are None when the bucket is empty.

    Raises:
        TypeError: A list holds something else than strings.
        ValueError: The lists differ in length or are empty, or `edges` do not rise.
    """
    check_pairs(hypotheses, references_tok=references_tok, sources=sources)
    if list(edges) != sorted(set(edges)) or not edges or edges[0] < 1:
        raise ValueError(
            f"`edges` must be word counts of at least 1 that rise. Received: edges={edges!r}"
        )
    words = [len(source.split()) for source in sources]
    buckets = []
    for first, after in zip([0, *edges], [*edges, None], strict=True):
        rows = [i for i, n in enumerate(words) if first <= n and (after is None or n < after)]
        bleu = mean_words = None
        if rows:
            mean_words = sum(words[i] for i in rows) / len(rows)
            bleu = lowercased_tokenised_bleu(
                [hypotheses[i] for i in rows], [references_tok[i] for i in rows]
            ).score
        buckets.append(
            {
                "from": first,
                "to": None if after is None else after - 1,
                "sentences": len(rows),
                "mean_words": mean_words,
                "bleu": bleu,
            }
        )
    return buckets
