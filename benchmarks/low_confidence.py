"""How often `low_confidence` is right: false alarms in the domain, what is found out of it.

A translator of captions answers to whatever it gets. The thresholds of its three signs
(`zoo.models.doubt`) are chosen here, on one half of Multi30k's validation split and one half of a
sample of Tatoeba; the other halves, and Wikipedia and tweets, which nothing was chosen on, are
counted with them. Prints the thresholds and a Markdown table.

    pip install -e ".[training]"
    python -m benchmarks.low_confidence --multi30k multi30k --tatoeba tatoeba
"""

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import numpy as np
import tensorflow as tf

import zoo
from zoo.models.doubt import DoubtThresholds, is_doubtful, signs_of_doubt
from zoo.reports.bleu import chrf
from zoo.training.corpora.multi30k import load_multi30k
from zoo.training.corpora.tatoeba import load_tatoeba

# The share of captions that may be flagged.
FALSE_ALARMS = 0.05
REPETITIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
COPIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7)
BATCH_SIZE = 64


def signs_of(model: Any, texts: list[str]) -> tuple[DoubtThresholds, list[str]]:
    """The signs of each text, read as one sentence, as arrays, and the translations."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def run(batch: tf.Tensor) -> tuple:
        inputs, found = model.search(batch)
        signs = signs_of_doubt(
            inputs["source"],
            inputs["source_lengths"],
            found.ids[:, 0],
            found.lengths[:, 0],
            found.scores[:, 0],
        )
        return signs, model.texts_of(found)[:, 0]

    order = np.argsort([len(text) for text in texts], kind="stable")
    batches = [order[at : at + BATCH_SIZE] for at in range(0, len(order), BATCH_SIZE)]
    signs, translations = zip(
        *(run(tf.constant([texts[place] for place in batch])) for batch in batches), strict=True
    )
    back = np.argsort(order)
    columns = (np.concatenate(of)[back] for of in zip(*signs, strict=True))
    written = np.concatenate([of.numpy() for of in translations])[back]
    return DoubtThresholds(*columns), [text.decode() for text in written]


def chosen(captions: DoubtThresholds, others: DoubtThresholds) -> DoubtThresholds:
    """The thresholds that find most of the others, at no more than `FALSE_ALARMS` on captions."""
    best, most = DoubtThresholds(), -1.0
    for repetition, copied in itertools.product(REPETITIONS, COPIES):
        # The signs but the score have their alarms; the score gets what is left.
        alone = DoubtThresholds(-np.inf, repetition, copied)
        left = FALSE_ALARMS - shares(captions, alone)
        if left < 0:
            continue
        quiet = captions.score[~np.asarray(is_doubtful(captions, alone))]
        share = left * len(captions.score) / len(quiet)
        score = float(np.round(np.quantile(quiet, share), 2))
        thresholds = alone._replace(score=score)
        if (found := shares(others, thresholds)) > most:
            best, most = thresholds, found
    return best


def shares(signs: DoubtThresholds, thresholds: DoubtThresholds) -> float:
    """The share of rows that are flagged."""
    return float(np.mean(is_doubtful(signs, thresholds)))


def half(signs: DoubtThresholds, first: bool) -> DoubtThresholds:
    """Every other row."""
    return DoubtThresholds(*(of[0 if first else 1 :: 2] for of in signs))


def _lines(path: Path | None) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    return [line for line in lines if line.strip()]


def _table(rows: Iterable[tuple[str, int, float]]) -> str:
    lines = ["| texts | number | flagged |", "|---|---|---|"]
    return "\n".join(
        [*lines, *(f"| {name} | {count} | {share:.1%} |" for name, count, share in rows)]
    )


@click.command()
@click.option("--preset", default="nmt_attention", show_default=True, help="Name or folder.")
@click.option(
    "--multi30k",
    type=click.Path(path_type=Path),
    help="Folder with Multi30k. [default: downloaded once from its public home]",
)
@click.option(
    "--tatoeba", required=True, type=click.Path(path_type=Path), help="Folder with deu-eng.zip."
)
@click.option("--pairs", type=click.IntRange(min=2), default=1000, show_default=True)
@click.option(
    "--texts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of other texts, one a line; may be given several times.",
)
def main(
    preset: str, multi30k: Path | None, tatoeba: Path, pairs: int, texts: tuple[Path, ...]
) -> None:
    """Chooses the thresholds of `low_confidence`, and counts on texts they were not chosen on."""
    model = zoo.load(preset)
    captions, _ = signs_of(model, load_multi30k(multi30k, "validation").en)
    sample = load_tatoeba(tatoeba, pairs=pairs).train
    everyday, translated = signs_of(model, sample.en)
    thresholds = chosen(half(captions, True), half(everyday, True))
    click.echo(f"doubt={thresholds._asdict()}\n")
    rows = [
        ("captions, not chosen on", half(captions, False)),
        ("Tatoeba, not chosen on", half(everyday, False)),
        *((path.stem, signs_of(model, _lines(path))[0]) for path in texts),
    ]
    click.echo(_table((name, len(signs.score), shares(signs, thresholds)) for name, signs in rows))
    flagged = np.asarray(is_doubtful(everyday, thresholds))
    for name, which in (("flagged", flagged), ("the others", ~flagged)):
        places = np.flatnonzero(which)
        if len(places):
            found = chrf([translated[i] for i in places], [sample.de[i] for i in places])
            click.echo(f"\nchrF of Tatoeba's sentences, {name}: {found.score:.1f}")


if __name__ == "__main__":
    main()
