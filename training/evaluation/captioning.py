"""Measures a captioner on Flickr8k: coco-caption's figures, Xu et al.'s way to count, speed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.training.corpora import catalogue
from zoo.training.evaluation.base import Evaluation, Table, check_splits, markdown_table
from zoo.training.metrics.captions import as_xu, coco_scores
from zoo.training.metrics.speed import latency, throughput

SPLITS = ("flickr8k_validation", "flickr8k_test")
NAMES = {
    "bleu_1": "BLEU-1",
    "bleu_2": "BLEU-2",
    "bleu_3": "BLEU-3",
    "bleu_4": "BLEU-4",
    "meteor": "METEOR",
    "rouge_l": "ROUGE-L",
    "cider": "CIDEr",
}

# On the test split. Xu et al. 2015, table 1, has both; it counts BLEU without brevity penalty.
PUBLISHED = {
    "show_and_tell": ("Vinyals et al. 2015", (63.0, 41.0, 27.0, None)),
    "show_attend_tell": ("soft attention, Xu et al. 2015", (67.0, 44.8, 29.9, 19.5)),
}


def evaluate(
    model: Any,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    verify: bool = True,
    recipe: Mapping[str, Any] | None = None,
    beam_size: int = 5,
    batch_size: int = 32,
) -> dict[str, Any]:
    """Captions splits of Flickr8k and measures quality and speed.

    Args:
        model: What has `caption(list of bytes, beam_size=, batch_size=) -> list of str`.
        data_dir: A folder with Flickr8k.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published corpus.
        recipe: What the model was trained by; all captioners are measured on the same splits.
        beam_size: Width of the beam search.
        batch_size: Pictures captioned together; it changes the speed only.

    Returns:
        Plain values, ready for JSON: for each split its pictures, `coco` (see
        `zoo.training.metrics.captions.coco_scores`), `as_xu`, mean words of a caption, how many
        captions differ, seconds and the data's SHA-256; the latency of one picture in milliseconds.

    Raises:
        ValueError: No split, an unknown one, or data that is not the published corpus.
        FileNotFoundError: Files are missing in `data_dir`.
        RuntimeError: There is no Java, or no `pycocoevalcap`.

    Example:
        >>> metrics = evaluate(zoo.load("show_and_tell"), "flickr8k")  # doctest: +SKIP
        >>> metrics["splits"]["flickr8k_test"]["coco"]["cider"]  # doctest: +SKIP
    """
    check_splits(splits, SPLITS)
    coco_scores(["a dog"], [["a dog"]])  # what is missing is told now rather than after minutes
    parts = {name: catalogue.split(name) for name in splits}
    data = {name: part.load(data_dir, verify) for name, part in parts.items()}

    def caption(pictures: list[bytes]) -> list[str]:
        return model.caption(pictures, beam_size, batch_size=batch_size)

    # The first batches trace the graph: not part of the speed.
    caption(data[splits[0]].pictures[: 2 * batch_size])
    measured = {}
    for split, captioned in data.items():
        captions, speed = throughput(caption, captioned.pictures, "pictures")
        measured[split] = {
            **_quality(captions, captioned.captions),
            **speed,
            **parts[split].provenance(captioned),
        }
    return {
        "beam_size": beam_size,
        "batch_size": batch_size,
        "splits": measured,
        "latency": latency(caption, data[splits[0]].pictures, "pictures"),
        "parameters": int(model.count_params()),
    }


def _quality(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, Any]:
    return {
        "pictures": len(captions),
        "coco": coco_scores(captions, references),
        "as_xu": as_xu(captions, references),
        "mean_words": sum(len(caption.split()) for caption in captions) / len(captions),
        "different_captions": len(set(captions)),
    }


def table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of the figures for a terminal."""
    rows = [
        [split, *(_cell(name, figures["coco"][name]) for name in NAMES)]
        for split, figures in metrics["splits"].items()
    ]
    return ["split", *NAMES.values()], rows


def quality_section(metrics: Mapping[str, Any]) -> str:
    """The figures beside the published ones."""
    blocks = [
        f"""Beam of {metrics["beam_size"]}. Counted by coco-caption (`pycocoevalcap`), against five
captions of each picture: BLEU with brevity penalty, METEOR and ROUGE-L from 0 to 100, CIDEr from 0
to 10.

{markdown_table(*table(metrics))}

As Xu et al. (2015) count, in lower case and *without* brevity penalty, which flatters short
captions; not to be compared with the figures above:

{_xu_table(metrics)}"""
    ]
    blocks += [
        f"On {split}: {figures['pictures']:,} pictures, {figures['different_captions']:,} "
        f"different captions of {figures['mean_words']:.1f} words in the mean."
        for split, figures in metrics["splits"].items()
    ]
    return "\n\n".join(blocks)


def _xu_table(metrics: Mapping[str, Any]) -> str:
    names = [f"bleu_{order}" for order in range(1, 5)]
    rows = [
        [split, *(_cell(name, figures["as_xu"][name]) for name in names)]
        for split, figures in metrics["splits"].items()
    ]
    published = PUBLISHED.get(metrics["model"])
    test = metrics["splits"].get("flickr8k_test")
    # The published figures say something about the published data only.
    if published and test and test["published_data"]:
        who, figures = published
        rows.append([f"flickr8k_test, {who}", *("-" if x is None else f"{x:.1f}" for x in figures)])
    return markdown_table(["split", *(NAMES[name] for name in names)], rows)


def _cell(name: str, value: float) -> str:
    return f"{value:.3f}" if name == "cider" else f"{value:.1f}"


EVALUATION = Evaluation(
    splits=SPLITS,
    measure=evaluate,
    table=table,
    quality=quality_section,
    verb="caption",
    example='model.caption(["photo.jpg"])',
    chosen_by="BLEU-4 on validation, beam of 3",
    way="From JPEG to caption",
    unit="pictures",
    libraries=("pycocoevalcap", "sacrebleu"),
)
