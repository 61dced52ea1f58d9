"""Quality of captions against several references each.

Two ways to count that must never be mixed up:

* `coco_scores`: what coco-caption (Chen et al. 2015) counts, by `pycocoevalcap`: BLEU-1 to 4,
  METEOR, ROUGE-L and CIDEr on what the Penn Treebank tokeniser makes of the texts, lower-cased and
  without marks. It needs Java, and the extra `captions`.
* `as_xu`: BLEU-1 to 4 in lower case without the brevity penalty, as Xu et al. (2015, table 1)
  report it. It flatters short captions.

`bleu_4` is for choosing an epoch: as BLEU-4 of the first, without Java.

BLEU: Papineni et al. 2002. METEOR: Denkowski and Lavie 2014. ROUGE-L: Lin 2004. CIDEr: Vedantam,
Zitnick and Parikh 2015 (CIDEr-D, as coco-caption has it).
"""

import contextlib
import io
import shutil
from collections.abc import Callable, Sequence
from typing import Any

from zoo.extras import extra
from zoo.text.captions import plain_words

with extra("training"):
    from sacrebleu.metrics import BLEU

References = Sequence[Sequence[str]]


def words_of(captions: Sequence[str]) -> list[str]:
    """Captions in lower case, words and blanks alone: what is compared without Java."""
    import tensorflow as tf

    words = plain_words(tf.constant(list(captions)))
    return [caption.decode().lower() for caption in words.numpy()]


def bleu_4(captions: Sequence[str], references: References) -> float:
    """BLEU-4 (0 to 100) of captions against all references of each picture, with brevity penalty.

    Args:
        captions: One for each picture.
        references: A list for each picture; they may differ in length.

    Raises:
        TypeError: An argument holds something else than strings.
        ValueError: The two differ in length, or there is nothing to score.
    """
    return _sacrebleu(captions, references, [4])[0][0]


def as_xu(captions: Sequence[str], references: References) -> dict[str, float]:
    """BLEU-1 to BLEU-4 (0 to 100), lower case, no brevity penalty; arguments as of `bleu_4`."""
    orders = range(1, 5)
    found = zip(orders, _sacrebleu(captions, references, orders), strict=True)
    return {
        f"bleu_{order}": score / penalty if penalty else 0.0 for order, (score, penalty) in found
    }


def coco_scores(captions: Sequence[str], references: References) -> dict[str, float]:
    """What coco-caption counts: see the module.

    Args:
        captions: One for each picture.
        references: A list for each picture.

    Returns:
        `bleu_1` to `bleu_4`, `meteor` and `rouge_l` from 0 to 100, and `cider`, whose best is 10.

    Raises:
        RuntimeError: There is no Java, or no `pycocoevalcap`.
        TypeError, ValueError: As `bleu_4`.
    """
    _check(captions, references)
    hypotheses, truth = _penn_treebank(captions, references)
    scores = {}
    for name, scorer in _coco_scorers().items():
        # The package prints as it counts.
        with contextlib.redirect_stdout(io.StringIO()):
            score, _ = scorer().compute_score(truth, hypotheses)
        if name == "bleu":
            scores.update({f"bleu_{n}": 100 * float(of) for n, of in enumerate(score, 1)})
        else:
            scores[name] = float(score) * (1 if name == "cider" else 100)
    return scores


def _coco_scorers() -> dict[str, Callable[[], Any]]:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.rouge.rouge import Rouge

    return {"bleu": Bleu, "meteor": Meteor, "cider": Cider, "rouge_l": Rouge}


def _penn_treebank(captions: Sequence[str], references: References) -> tuple[dict, dict]:
    """Both as the Penn Treebank tokeniser splits them, by the number of the picture."""
    try:
        from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer
    except ImportError as error:
        raise RuntimeError(
            f"captions are measured by pycocoevalcap: pip install 'rnn-zoo[captions]' ({error})"
        ) from error
    if shutil.which("java") is None:
        raise RuntimeError(
            "captions are measured by the Penn Treebank tokeniser and METEOR, which need Java 8 or "
            "later: install it, such as Debian's default-jre-headless. Received: no `java`"
        )
    # An empty line would be lost, and with it the order.
    texts = {
        **{("captions", n): [caption or "."] for n, caption in enumerate(captions)},
        **{("references", n): list(of) for n, of in enumerate(references)},
    }
    entries = {key: [{"caption": text} for text in of] for key, of in texts.items()}
    with contextlib.redirect_stderr(io.StringIO()):
        tokenised = PTBTokenizer().tokenize(entries)
    split = {kind: {} for kind, _ in texts}
    for (kind, number), lines in tokenised.items():
        split[kind][number] = lines
    return split["captions"], split["references"]


def _sacrebleu(
    captions: Sequence[str], references: References, orders: Sequence[int]
) -> list[tuple[float, float]]:
    """BLEU of each order with its brevity penalty; `effective_order` is off, as in coco-caption."""
    _check(captions, references)
    most = max(map(len, references))
    # sacreBLEU takes streams: the n-th reference of all pictures. None: this picture has fewer.
    flat = words_of([text for of in references for text in of])
    by_picture, start = [], 0
    for of in references:
        by_picture.append(flat[start : start + len(of)])
        start += len(of)
    streams = [[of[n] if n < len(of) else None for of in by_picture] for n in range(most)]
    words, scores = words_of(captions), []
    for order in orders:
        metric = BLEU(tokenize="none", force=True, max_ngram_order=order, smooth_method="none")
        found = metric.corpus_score(words, streams)
        scores.append((found.score, found.bp))
    return scores


def _check(captions: Sequence[str], references: References) -> None:
    if isinstance(captions, str | bytes):
        raise TypeError(f"`captions` must be a list of strings. Received: {captions!r:.60}")
    if len(captions) != len(references):
        raise ValueError(
            "`references` must have a list for each of `captions`. "
            f"Received: {len(references)} lists and {len(captions)} captions"
        )
    if not len(captions):
        raise ValueError("`captions` must not be empty: there is nothing to score.")
    for name, texts in (("captions", [captions]), ("references", references)):
        for row, of in enumerate(texts):
            if isinstance(of, str | bytes) or not len(of):
                raise ValueError(
                    f"`{name}` must have lists of one or more strings. "
                    f"Received: {name}[{row}]={of!r:.60}"
                )
            wrong = next((text for text in of if not isinstance(text, str)), None)
            if wrong is not None:
                raise TypeError(
                    f"`{name}` must hold strings only. "
                    f"Received: {wrong!r:.60} ({type(wrong).__name__})"
                )
