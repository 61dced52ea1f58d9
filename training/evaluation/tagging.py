"""Measures a tagger of named entities: F1 of exact spans, seen and unseen, raw text.

What is compared with published figures is found on the corpus's own tokens (`model.tag_tokens`).
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.reports.tagging import entity_signature
from zoo.training.corpora import catalogue, tweets
from zoo.training.corpora.columns import Tagged
from zoo.training.evaluation.base import Evaluation, Table, check_splits, markdown_table
from zoo.training.metrics.entity_f1 import (
    SCORES,
    entities,
    scores,
    seen_and_unseen,
    strict_scores,
)
from zoo.training.metrics.plain_text import PlainText, plain_text
from zoo.training.metrics.speed import latency, throughput

SPLITS = tuple(
    f"{corpus}_{split}"
    for corpus in ("conll2003", "wnut17", "btc")
    for split in ("validation", "test")
)


def splits_of(recipe: Mapping[str, Any]) -> tuple[str, ...]:
    """Both splits of each corpus that the preset was trained on."""
    corpora = recipe.get("corpora", ())
    return tuple(split for split in SPLITS if catalogue.split(split).corpus.name in corpora)


def evaluate(
    model: Any,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    verify: bool = True,
    recipe: Mapping[str, Any] | None = None,
    batch_size: int = 64,
) -> dict[str, Any]:
    """Tags splits and measures quality and speed.

    Args:
        model: What has `tag_tokens(list of token lists) -> list of BIO lists` and `tag(list of
            texts, batch_size=) -> list of lists of entities` with `type`, `start` and `end`.
        data_dir: A folder with the corpora; None downloads them.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published corpus.
        recipe: What the model was trained by. Its `corpora` say which entities were seen in
            training; without them those of the splits do.
        batch_size: Texts tagged together; it changes the speed only.

    Returns:
        Plain values, ready for JSON. For each split: precision, recall and F1 in percent, over all
        and for each type; the same on entities whose surface form stands in the training data as
        an entity (`seen`) or does not (`unseen`), and on raw text (`raw`); for WNUT-17 how many
        entities of each of its own types were found; seconds and the data's SHA-256. Beside the
        splits the latency of one text.

    Raises:
        ValueError: No split, an unknown one, or data that is not the published corpus.
        FileNotFoundError: Files are missing in `data_dir`.

    Example:
        >>> metrics = evaluate(zoo.load("ner"), "conll2003", ["conll2003_test"])  # doctest: +SKIP
        >>> metrics["splits"]["conll2003_test"]["f1"]  # doctest: +SKIP
    """
    check_splits(splits, SPLITS)
    parts = {split: catalogue.split(split) for split in splits}
    own = {split: part.load(data_dir, verify) for split, part in parts.items()}
    trained_on = (recipe or {}).get("corpora") or {part.corpus.name for part in parts.values()}
    training = catalogue.load_tagged([*trained_on], data_dir, "train", verify)
    known = {surface for *_, surface in entities(training)}

    def tag(texts: list[str]) -> list[Any]:
        return model.tag(texts, batch_size=batch_size)

    measured = {}
    for split, tagged in own.items():
        gold = parts[split].corpus.in_model_types(tagged)
        texts = [plain_text(tokens) for tokens in gold.tokens]
        if not measured:
            tag([plain.text for plain in texts[: 2 * batch_size]])  # traces the graph
        answers, speed = throughput(tag, [plain.text for plain in texts])
        measured[split] = {
            **_quality(tagged, gold, model.tag_tokens(gold.tokens), known),
            "raw": scores(*_raw_spans(gold, texts, answers)),
            **speed,
            **parts[split].provenance(tagged),
        }
    first = next(iter(own.values()))
    return {
        "batch_size": batch_size,
        "splits": measured,
        "latency": latency(tag, [plain_text(tokens).text for tokens in first.tokens[:50]]),
        "parameters": int(model.count_params()),
    }


def _quality(
    tagged: Tagged, gold: Tagged, predicted: Sequence[Sequence[str]], known: set[str]
) -> dict[str, Any]:
    figures = {
        "sentences": len(gold.tokens),
        "entities": len(entities(gold)),
        "signature": entity_signature(),
        **strict_scores(gold.tags, predicted),
        **seen_and_unseen(gold, predicted, known),
    }
    if gold.tags != tagged.tags:
        figures["own_types"] = own_types(tagged, predicted)
    return figures


def own_types(tagged: Tagged, predicted: Sequence[Sequence[str]]) -> dict[str, Any]:
    """How a corpus's own types fare with a model that knows the common ones only.

    Args:
        tagged: With the corpus's own types.
        predicted: BIO tags of common types.

    Returns:
        `{"types": {own type: {"entities", "found"}}, "precision", "recall", "f1"}`. An entity is
        found when its exact span has the common type that its own one maps onto; one whose type
        maps onto none never is, and lowers recall.
    """
    truth, guess = entities(tagged), entities(Tagged(tagged.tokens, predicted))
    types = {}
    for row, type_, *span in sorted(truth):
        counts = types.setdefault(type_, {"entities": 0, "found": 0})
        counts["entities"] += 1
        counts["found"] += (row, tweets.COMMON_TYPE_OF[type_], *span) in guess
    # An own type without a common one stays itself: no guess can match it.
    mapped = {(row, tweets.COMMON_TYPE_OF[type_] or type_, *span) for row, type_, *span in truth}
    return {"types": dict(sorted(types.items())), **scores(mapped, guess)}


def _raw_spans(
    gold: Tagged, texts: Sequence[PlainText], answers: Iterable[Iterable[Any]]
) -> tuple[set[tuple], set[tuple]]:
    """Gold and predicted entities as `(row, type, start, end)`, in characters of the raw texts."""
    truth = {
        (row, type_, texts[row].starts[start], texts[row].ends[end - 1])
        for row, type_, start, end, _ in entities(gold)
    }
    guess = {
        (row, entity.type, entity.start, entity.end)
        for row, found in enumerate(answers)
        for entity in found
    }
    return truth, guess


def table(metrics: Mapping[str, Any]) -> Table:
    """Header and rows of the figures for a terminal."""
    header = ["split", "entities", "precision", "recall", "F1", "seen", "unseen", "raw text"]
    rows = []
    for split, figures in metrics["splits"].items():
        f1 = [figures, *(figures[part] for part in ("seen", "unseen", "raw"))]
        overall = [f"{figures[name]:.2f}" for name in ("precision", "recall")]
        rows.append(
            [split, f"{figures['entities']:,}", *overall, *(f"{part['f1']:.2f}" for part in f1)]
        )
    return header, rows


# Test F1 on CoNLL-2003 of networks of this kind; no other training data than word vectors.
PUBLISHED = {
    "Huang et al. 2015": 90.10,
    "Lample et al. 2016": 90.94,
    "Ma and Hovy 2016": 91.21,
    "NCRF++ (Yang and Zhang 2018)": 91.20,
}


def quality_section(metrics: Mapping[str, Any]) -> str:
    """The figures beside the published ones."""
    splits = metrics["splits"]
    signature = next(iter(splits.values()))["signature"]
    parts = [
        f"""An entity counts when its type and its exact span are right, on the corpora's own tokens
(`{signature}`). *Seen* entities stand in the training data in the same form, *unseen* ones do not;
their F1 is counted apart. *Raw text* is F1 of what `tag` finds in the sentence as plain text, with
the zoo's own tokenizer, by exact characters.""",
        markdown_table(*table(metrics)),
    ]
    if splits.get("conll2003_test", {}).get("published_data"):
        published = ", ".join(f"{who} {f1:.2f}" for who, f1 in PUBLISHED.items())
        parts.append(f"Published F1 on the CoNLL-2003 test split: {published}.")
    parts += [_types_table(splits), *(_own_types(*split) for split in splits.items())]
    return "\n\n".join(filter(None, parts))


def _types_table(splits: Mapping[str, Any]) -> str:
    rows = [
        [split, type_, f"{row['entities']:,}", *(f"{row[k]:.2f}" for k in SCORES)]
        for split, figures in splits.items()
        for type_, row in figures["types"].items()
    ]
    return markdown_table(["split", "type", "entities", "precision", "recall", "F1"], rows)


def _own_types(split: str, figures: Mapping[str, Any]) -> str:
    own = figures.get("own_types")
    if own is None:
        return ""
    found = ", ".join(
        f"{type_} {row['found']} of {row['entities']}" for type_, row in own["types"].items()
    )
    return (
        f"{split} by its own types, found with the exact span and the type it maps onto: {found}. "
        f"Over all of them, those that cannot be found too: F1 {own['f1']:.2f}. The shared task's "
        "own F1 also tells corporations from groups and is not comparable."
    )


EVALUATION = Evaluation(
    splits=SPLITS,
    measure=evaluate,
    table=table,
    quality=quality_section,
    splits_of=splits_of,
    verb="tag",
    example='model.tag(["Ada Lovelace was born in London."])',
    chosen_by="F1 on validation",
    libraries=("sacremoses", "seqeval"),
)
