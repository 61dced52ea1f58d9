"""Reports on models that write text, translators before all; the counting is sacreBLEU's."""

from collections.abc import Sequence

from zoo.extras import needed
from zoo.reports.base import Report
from zoo.reports.bleu import Score, check_pairs, chrf, corpus_score
from zoo.reports.tables import Table, share


class WritingReport(Report):
    """How near the texts that a model writes are to the given ones."""

    kind = "writing"

    @property
    def bleu(self) -> Score:
        """BLEU, 0 to 100, and its signature."""
        return Score(**self.figures["bleu"])

    @property
    def chrf(self) -> Score:
        """The score chrF2, 0 to 100, and its signature."""
        return Score(**self.figures["chrf"])

    @property
    def brevity_penalty(self) -> float:
        """What BLEU was multiplied by since the texts are too short: 1 if they are not."""
        return self.figures["brevity_penalty"]

    @property
    def length_ratio(self) -> float:
        """Tokens of the model's texts for each token of the given ones."""
        return self.figures["length_ratio"]

    @property
    def exact(self) -> float:
        """The share of texts that are the given ones, character by character, from 0 to 1."""
        return self.figures["exact"]

    def headline(self) -> str:
        """BLEU and chrF."""
        return f"{self.rows:,} rows, BLEU {self.bleu.score:.2f}, chrF2 {self.chrf.score:.2f}"

    def tables(self) -> list[Table]:
        """The figures, and how they were counted."""
        how = f"beam {self.figures['beam_size']}"
        rows = [
            ["BLEU", f"{self.bleu.score:.2f}", self.bleu.signature],
            ["chrF2", f"{self.chrf.score:.2f}", self.chrf.signature],
            ["brevity penalty", share(self.brevity_penalty), "of BLEU"],
            ["length", share(self.length_ratio), "tokens written for each token given"],
            ["exact", share(self.exact), "texts that are the given ones"],
        ]
        return [Table(["figure", how, "counted by"], rows)]


def writing_report(
    hypotheses: Sequence[str], references: Sequence[str], beam_size: int, tokenize: str
) -> WritingReport:
    """Scores texts.

    Args:
        hypotheses: The model's.
        references: The given ones, equally many.
        beam_size: What they were searched with.
        tokenize: How sacreBLEU splits words for BLEU: `"13a"`, `"zh"`, `"char"` and others.

    Raises:
        ImportError: The library sacreBLEU is missing.
        ValueError: An unknown tokenizer.
    """
    metrics = needed("sacrebleu.metrics")
    check_pairs(hypotheses, references=references)
    known = sorted(metrics.BLEU.TOKENIZERS)
    if tokenize not in known:
        raise ValueError(
            f"`tokenize` must be one of {', '.join(known)}. Received: tokenize={tokenize!r}"
        )
    bleu, details = corpus_score(metrics.BLEU(tokenize=tokenize), hypotheses, references)
    same = sum(one == other for one, other in zip(hypotheses, references, strict=True))
    return WritingReport(
        {
            "rows": len(references),
            "beam_size": beam_size,
            "bleu": bleu._asdict(),
            "chrf": chrf(hypotheses, references)._asdict(),
            "brevity_penalty": float(details.bp),
            "length_ratio": float(details.ratio),
            "exact": same / len(references),
        }
    )
