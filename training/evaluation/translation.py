"""Measures a translator on Multi30k: BLEU, chrF, BLEU by source length, speed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.reports.bleu import cased_bleu, chrf
from zoo.training.corpora.catalogue import Split, corpus
from zoo.training.corpora.multi30k import Sentences
from zoo.training.evaluation.base import Evaluation, Table, markdown_table
from zoo.training.evaluation.card import bucket_label
from zoo.training.metrics.bleu import bleu_by_source_length, lowercased_tokenised_bleu
from zoo.training.metrics.speed import latency, throughput

SPLITS = ("validation", "test_2016_flickr", "test_2017_flickr")

# Text-only attention of the WMT17 multimodal task: nmtpy, a single run, lower-cased tokenised BLEU.
PUBLISHED = {"validation": 39.17, "test_2016_flickr": 39.00, "test_2017_flickr": 31.25}
PUBLISHED_HOME = "https://github.com/lium-lst/wmt17-mmt"


def evaluate(
    model: Any,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    verify: bool = True,
    recipe: Mapping[str, Any] | None = None,
    beam_size: int = 5,
    batch_size: int = 64,
) -> dict[str, Any]:
    """Translates splits of Multi30k and measures quality and speed.

    Args:
        model: What has `translate(list of str, beam_size=, batch_size=, split_sentences=) -> list
            of str`. A line of the corpus is read as one sentence, as in training and as the
            published figures have it.
        data_dir: A folder with Multi30k; None downloads it (see `load_multi30k`).
        splits: Splits to measure, of `zoo.training.corpora.multi30k.SPLITS`.
        verify: Whether the data must be the published corpus.
        recipe: What the model was trained by; all translators are measured on the same splits.
        beam_size: Width of the beam search.
        batch_size: Sentences translated together; it changes the speed only.

    Returns:
        Plain values, ready for JSON: for each split its sentences, BLEU (lower-cased and tokenised;
        cased), chrF with signatures, seconds and the data's SHA-256; BLEU by source length over the
        test splits together (all splits if none is a test split); the latency of one sentence in
        milliseconds.

    Raises:
        ValueError: No split, an unknown one, or data that is not the published corpus.
        FileNotFoundError: Files are missing in `data_dir`.

    Example:
        >>> metrics = evaluate(zoo.load("nmt_attention"), "multi30k")  # doctest: +SKIP
        >>> metrics["splits"]["test_2016_flickr"]["bleu"]["score"]  # doctest: +SKIP
    """
    if isinstance(splits, str) or not splits:
        raise ValueError(f"`splits` must name at least one split. Received: splits={splits!r}")
    parts = {split: Split(corpus("multi30k"), split) for split in splits}
    data = {split: part.load(data_dir, verify) for split, part in parts.items()}

    def translate(texts: list[str]) -> list[str]:
        return model.translate(texts, beam_size, batch_size=batch_size, split_sentences=False)

    # The first batches trace the graph: not part of the speed.
    translate(data[splits[0]].en[: 2 * batch_size])
    hypotheses, measured = {}, {}
    for split, sentences in data.items():
        hypotheses[split], speed = throughput(translate, sentences.en)
        measured[split] = {
            **_quality(hypotheses[split], sentences),
            **speed,
            **parts[split].provenance(sentences),
        }
    pooled = [split for split in splits if split.startswith("test")] or list(splits)
    return {
        "beam_size": beam_size,
        "batch_size": batch_size,
        "splits": measured,
        "bleu_by_source_length": {
            "splits": pooled,
            "buckets": bleu_by_source_length(
                [line for split in pooled for line in data[split].en],
                [line for split in pooled for line in hypotheses[split]],
                [line for split in pooled for line in data[split].de_tok],
            ),
        },
        "latency": latency(translate, data[splits[0]].en),
        "parameters": int(model.count_params()),
    }


def _quality(hypotheses: Sequence[str], sentences: Sentences) -> dict[str, Any]:
    return {
        "sentences": len(hypotheses),
        "bleu": lowercased_tokenised_bleu(hypotheses, sentences.de_tok)._asdict(),
        "cased_bleu": cased_bleu(hypotheses, sentences.de)._asdict(),
        "chrf": chrf(hypotheses, sentences.de)._asdict(),
    }


def table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of the figures for a terminal."""
    header = ["split", "BLEU, lower-cased and tokenised", "BLEU, cased", "chrF"]
    return header, [
        [split, *(f"{figures[name]['score']:.2f}" for name in ("bleu", "cased_bleu", "chrf"))]
        for split, figures in metrics["splits"].items()
    ]


def quality_section(metrics: Mapping[str, Any]) -> str:
    """The figures beside the published ones."""
    lengths = metrics["bleu_by_source_length"]
    return f"""Beam of {metrics["beam_size"]}. BLEU is counted as the published figure is, on lower-cased text,
normalised and tokenised by Moses; cased BLEU and chrF2 on the text as it comes out.

{_quality_table(metrics["splits"])}

Published: the text-only attention model (nmtpy) of {PUBLISHED_HOME}, a single run.

Signatures: {_signatures(metrics["splits"])}

BLEU by length of the source, on {" and ".join(lengths["splits"])}:

{_length_table(lengths["buckets"])}"""  # noqa: E501 - the card's own lines


def _quality_table(splits: Mapping[str, Any]) -> str:
    rows = []
    for name, split in splits.items():
        # The published figure says something about the published data only.
        comparable = split["published_data"] and name in PUBLISHED
        rows.append([
            name,
            f"{split['sentences']:,}",
            f"**{split['bleu']['score']:.2f}**",
            f"{PUBLISHED[name]:.2f}" if comparable else "-",
            f"{split['cased_bleu']['score']:.2f}",
            f"{split['chrf']['score']:.2f}",
        ])  # fmt: skip
    header = ["split", "sentences", "BLEU", "published BLEU", "cased BLEU", "chrF2"]
    return markdown_table(header, rows)


def _signatures(splits: Mapping[str, Any]) -> str:
    split = next(iter(splits.values()))
    names = {"bleu": "BLEU", "cased_bleu": "cased BLEU", "chrf": "chrF2"}
    return "; ".join(f"{name} `{split[key]['signature']}`" for key, name in names.items()) + "."


def _length_table(buckets: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [bucket_label(b), f"{b['sentences']:,}", "-" if b["bleu"] is None else f"{b['bleu']:.2f}"]
        for b in buckets
    ]
    return markdown_table(["words", "sentences", "BLEU"], rows)


EVALUATION = Evaluation(
    splits=SPLITS,
    measure=evaluate,
    table=table,
    quality=quality_section,
    verb="translate",
    example='model.translate(["A dog runs through the snow."])',
    chosen_by="BLEU on validation",
    libraries=("sacrebleu", "sacremoses"),
)
