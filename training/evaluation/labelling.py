"""Measures a tagger of named entities: F1 of exact spans, seen and unseen, raw text; and its card.

What is compared with published figures is found on the corpus's own tokens (`model.tag_tokens`).
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from training.corpora import conll2003, tweets
from training.corpora.columns import Tagged, content_sha256
from training.evaluation import check_splits
from training.evaluation.card import markdown_table, preset_name
from training.metrics.entity_f1 import (
    SCORES,
    SIGNATURE,
    entities,
    scores,
    seen_and_unseen,
    strict_scores,
)
from training.metrics.plain_text import plain_text
from training.metrics.speed import latency, throughput

LIBRARIES = ("sacremoses", "seqeval")


class Corpus(NamedTuple):
    """A labelled corpus.

    Attributes:
        load: `(data_dir, split, verify) -> Tagged` with the corpus's own types.
        checksums: `content_sha256` of each published split.
        trained_with: The corpora whose training splits a preset for this one has seen.
        measured: Own types to those that a preset knows.
    """

    load: Callable[..., Tagged]
    checksums: dict[str, str]
    trained_with: tuple[str, ...]
    measured: Callable[[Tagged], Tagged]


CORPORA = {
    "conll2003": Corpus(
        conll2003.load_conll2003, conll2003.CHECKSUMS, ("conll2003",), lambda tagged: tagged
    ),
    "wnut17": Corpus(
        tweets.load_wnut17, tweets.Wnut17.CHECKSUMS, ("wnut17", "btc"), tweets.in_common_types
    ),
    "btc": Corpus(tweets.load_btc, tweets.Btc.CHECKSUMS, ("wnut17", "btc"), tweets.in_common_types),
}
SPLITS = tuple(f"{corpus}_{split}" for corpus in CORPORA for split in ("validation", "test"))


def default_splits(config: dict) -> tuple[str, ...]:
    """The splits that are measured when none is named: those of the preset's own corpora."""
    corpora = ("wnut17", "btc") if preset_name(config) == "ner_open" else ("conll2003",)
    return tuple(split for split in SPLITS if split.rpartition("_")[0] in corpora)


def evaluate(
    model,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    verify: bool = True,
    batch_size: int = 64,
) -> dict:
    """Tags splits and measures quality and speed.

    Args:
        model: What has `tag_tokens(list of token lists) -> list of BIO lists` and `tag(list of
            texts, batch_size=) -> list of lists of entities` with `type`, `start` and `end`.
        data_dir: A folder with the corpora; None downloads them.
        splits: Splits to measure, of `SPLITS`.
        verify: Whether the data must be the published corpus.
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
    own = {split: _load(split, data_dir, verify) for split in splits}

    def tag(texts):
        return model.tag(texts, batch_size=batch_size)

    measured, known = {}, {}
    for split, tagged in own.items():
        corpus, part = _corpus(split)
        gold = corpus.measured(tagged)
        texts = [plain_text(tokens) for tokens in gold.tokens]
        if not measured:
            tag([plain.text for plain in texts[: 2 * batch_size]])  # traces the graph
        answers, speed = throughput(tag, [plain.text for plain in texts])
        if corpus.trained_with not in known:
            known[corpus.trained_with] = _known(corpus, data_dir, verify)
        digest = content_sha256(tagged)
        measured[split] = {
            **_quality(tagged, gold, model.tag_tokens(gold.tokens), known[corpus.trained_with]),
            "raw": scores(*_raw_spans(gold, texts, answers)),
            **speed,
            "sha256": digest,
            "published_data": digest == corpus.checksums[part],
        }
    first = next(iter(own.values()))
    return {
        "batch_size": batch_size,
        "splits": measured,
        "latency": latency(tag, [plain_text(tokens).text for tokens in first.tokens[:50]]),
        "parameters": int(model.count_params()),
    }


def _corpus(split) -> tuple[Corpus, str]:
    """`"wnut17_test"` -> the corpus and `"test"`."""
    name, _, part = split.rpartition("_")
    return CORPORA[name], part


def _load(split, data_dir, verify) -> Tagged:
    corpus, part = _corpus(split)
    return corpus.load(data_dir, part, verify)


def _known(corpus, data_dir, verify) -> set[str]:
    """Surface forms of the entities in the training data."""
    known = set()
    for name in corpus.trained_with:
        training = CORPORA[name].load(data_dir, "train", verify)
        known |= {surface for *_, surface in entities(corpus.measured(training))}
    return known


def _quality(tagged, gold, predicted, known) -> dict:
    figures = {
        "sentences": len(gold.tokens),
        "entities": len(entities(gold)),
        "signature": SIGNATURE,
        **strict_scores(gold.tags, predicted),
        **seen_and_unseen(gold, predicted, known),
    }
    if gold.tags != tagged.tags:
        figures["own_types"] = own_types(tagged, predicted)
    return figures


def own_types(tagged: Tagged, predicted: Sequence[Sequence[str]]) -> dict:
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


def _raw_spans(gold, texts, answers) -> tuple[set, set]:
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


def table(metrics: dict) -> tuple[list[str], list[list[str]]]:
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


# The card.

WHAT = {
    "ner": (
        "Names in English news: persons, locations, organisations and others (MISC), with their "
        "places in the text. A bidirectional LSTM reads words and their characters, a conditional "
        "random field chooses the best tag sequence. After Lample et al. (2016); the lecture's "
        "*sequence labelling*."
    ),
    "ner_open": (
        "Names in English tweets and comments: persons, locations and organisations, with their "
        "places in the text. The network of `ner`, trained on openly licensed data only."
    ),
}
EXAMPLE = 'model.tag(["Ada Lovelace was born in London."])'
MEASURE = "F1 on validation"

# Test F1 on CoNLL-2003 of networks of this kind; no other training data than word vectors.
PUBLISHED = {
    "Huang et al. 2015": 90.10,
    "Lample et al. 2016": 90.94,
    "Ma and Hovy 2016": 91.21,
    "NCRF++ (Yang and Zhang 2018)": 91.20,
}

DATA = {
    "ner": f"""CoNLL-2003, English, 14,041 training sentences: {conll2003.HOME}
Tjong Kim Sang and De Meulder 2003 (W03-0419). Word vectors: GloVe 6B (Pennington et al. 2014),
public domain (PDDL).

**For research only.** The annotation is free, but its text is the Reuters Corpus, which is given
out for research under an agreement that does not allow passing it on. Take these weights, and the
vocabulary beside them, as research data too. `ner_open` has no such limit.""",
    "ner_open": f"""WNUT-17, 3,394 training sentences: {tweets.Wnut17.HOME}
(Derczynski et al. 2017, W17-4418), and the Broad Twitter Corpus, 6,338 training tweets:
{tweets.Btc.HOME} (Derczynski, Bontcheva and Roberts 2016, C16-1111). Both are
CC-BY 4.0: name them where you pass the weights on. Word vectors: GloVe 6B (Pennington et al. 2014),
public domain (PDDL).

The corpora have different types. PER is their PER and person, LOC their LOC and location, ORG their
ORG, corporation and group. Products and creative works, which WNUT-17 marks and the other does not,
are no entities here.""",
}


def data_section(config: dict) -> str:
    """Where the training data comes from, and what its licence allows."""
    return DATA.get(preset_name(config), "Not one of the zoo's own presets: not recorded.")


def quality_section(metrics: dict) -> str:
    """The figures beside the published ones."""
    splits = metrics["splits"]
    parts = [
        f"""An entity counts when its type and its exact span are right, on the corpora's own tokens
(`{SIGNATURE}`). *Seen* entities stand in the training data in the same form, *unseen* ones do not;
their F1 is counted apart. *Raw text* is F1 of what `tag` finds in the sentence as plain text, with
the zoo's own tokenizer, by exact characters.""",
        markdown_table(*table(metrics)),
    ]
    if splits.get("conll2003_test", {}).get("published_data"):
        published = ", ".join(f"{who} {f1:.2f}" for who, f1 in PUBLISHED.items())
        parts.append(f"Published F1 on the CoNLL-2003 test split: {published}.")
    parts += [_types_table(splits), *(_own_types(*split) for split in splits.items())]
    return "\n\n".join(filter(None, parts))


def limits_section(config: dict) -> str:
    """What the model is not good for."""
    about = {
        "ner": "news of 1996; names that came up later, other genres and lower-cased text are\n"
        "  tagged worse",
        "ner_open": "tweets of 2009 to 2014 and comments of 2017; much of what it meets it has\n"
        "  never seen, and it misses more names than it finds wrong ones",
    }.get(preset_name(config), "the data it was trained on")
    return f"""- Trained on {about}. See the figures for unseen entities.
- English only. One sentence at a time: it knows nothing of the sentence before.
- What counts as a name, and of which type, is the corpora's convention.
- Not for decisions about people: it finds some people's names better than others'."""


def _types_table(splits) -> str:
    rows = [
        [split, type_, f"{row['entities']:,}", *(f"{row[k]:.2f}" for k in SCORES)]
        for split, figures in splits.items()
        for type_, row in figures["types"].items()
    ]
    return markdown_table(["split", "type", "entities", "precision", "recall", "F1"], rows)


def _own_types(split, figures) -> str:
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
