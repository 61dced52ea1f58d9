"""What fine-tuning on another domain gains, and what it costs the domain the model came from.

A translator is loaded, measured, fine-tuned on everyday sentences of Tatoeba and measured again:
on Multi30k's validation split (what it knew: captions) and on held-out Tatoeba pairs (what it
shall learn). Each learning rate starts from the preset anew. Prints a Markdown table.

    pip install -e ".[training]"
    python -m benchmarks.fine_tuning --multi30k multi30k --tatoeba tatoeba --learning-rate 1e-4
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import keras

import zoo
from zoo.reports.bleu import Score, cased_bleu
from zoo.training.corpora.multi30k import load_multi30k
from zoo.training.corpora.tatoeba import load_tatoeba
from zoo.training.metrics.bleu import lowercased_tokenised_bleu, moses_lowercase_normalise_tokenise


def measure(
    model: Any, domains: Sequence[tuple[list[str], list[str], list[str]]]
) -> list[tuple[Score, Score]]:
    """BLEU of each domain.

    Args:
        model: A translator.
        domains: For each `(sources, references, references_tok)`, lists of strings.

    Returns:
        For each `(cased, lowercased)`.
    """
    scores = []
    for sources, references, references_tok in domains:
        # A line is one sentence, as in training and in the published figures.
        hypotheses = model.translate(sources, split_sentences=False)
        cased = cased_bleu(hypotheses, references)
        scores.append((cased, lowercased_tokenised_bleu(hypotheses, references_tok)))
    return scores


def fine_tune(
    preset: str, sources: list[str], targets: list[str], learning_rate: float, epochs: int
) -> tuple[Any, float]:
    """The preset, trained on, and the seconds that it took."""
    model = zoo.load(preset)
    # One seed for all, so that learning rates differ in nothing else.
    keras.utils.set_random_seed(1)
    optimizer = keras.optimizers.Adam(learning_rate, global_clipnorm=1.0)
    model.compile(optimizer, loss=model.loss)
    started = time.perf_counter()
    model.fit(sources, targets, epochs=epochs, verbose=0)
    return model, time.perf_counter() - started


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
@click.option("--pairs", type=click.IntRange(min=1), default=2000, show_default=True)
@click.option("--test-pairs", type=click.IntRange(min=1), default=500, show_default=True)
@click.option(
    "--captions", type=click.IntRange(min=1), help="The first of them only. [default: all]"
)
@click.option("--reverse", is_flag=True, help="Learn Tatoeba from German to English.")
@click.option("--epochs", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--learning-rate",
    "learning_rates",
    type=click.FloatRange(min=0, min_open=True),
    multiple=True,
    default=(3e-5, 1e-4, 3e-4, 1e-3),
    show_default=True,
    help="Of Adam; may be repeated.",
)
def main(
    preset: str,
    multi30k: Path | None,
    tatoeba: Path,
    pairs: int,
    test_pairs: int,
    captions: int | None,
    reverse: bool,
    epochs: int,
    learning_rates: tuple[float, ...],
) -> None:
    """Measure a translator before and after fine-tuning on Tatoeba."""
    known = load_multi30k(multi30k, "validation")
    known = [lines[:captions] for lines in (known.en, known.de, known.de_tok)]
    split = load_tatoeba(tatoeba, pairs, test_pairs=test_pairs)
    language = "en" if reverse else "de"
    (sources, targets), (sources_of_test, expected) = (
        part[::-1] if reverse else part for part in split
    )
    expected_tok = [moses_lowercase_normalise_tokenise(line, language) for line in expected]
    domains = [known, (sources_of_test, expected, expected_tok)]

    click.echo("before fine-tuning", err=True)
    before = measure(zoo.load(preset), domains)
    rows = [("before", before, None)]
    for rate in learning_rates:
        click.echo(f"learning rate {rate:g}", err=True)
        model, seconds = fine_tune(preset, sources, targets, rate, epochs)
        rows.append((f"{rate:g}", measure(model, domains), seconds))

    what = f"{pairs} pairs of Tatoeba{', German to English' if reverse else ''}"
    click.echo(f"`{preset}`, {what}, epochs: {epochs}, beam 5. BLEU, two ways:\n")
    click.echo(f"- cased: `{before[0][0].signature}`")
    click.echo(f"- lower-cased, tokenised by Moses: `{before[0][1].signature}`\n")
    click.echo(
        f"| learning rate | captions ({len(known[0])}), cased | lower-cased "
        f"| Tatoeba ({len(sources_of_test)}), cased | lower-cased | training |\n"
        "|---|---|---|---|---|---|"
    )
    for name, scores, seconds in rows:
        figures = [f"{score.score:.2f}" for domain in scores for score in domain]
        taken = "" if seconds is None else f"{seconds:.0f} s"
        click.echo(f"| {' | '.join([name, *figures, taken])} |")


if __name__ == "__main__":
    main()
