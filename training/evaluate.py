"""Measures a translator on Multi30k and writes down what came out: `metrics.json` and `card.md`."""

import importlib.metadata
import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import zoo
from training.bleu import bleu_by_source_length, cased_bleu, chrf, lowercased_tokenised_bleu
from training.card import card_text
from training.lines import sha256
from training.multi30k import CHECKSUMS, load_multi30k
from zoo.files import write_atomically
from zoo.presets import CARD, WEIGHTS, preset_folder, read_config

METRICS = "metrics.json"
SPLITS = ("validation", "test_2016_flickr", "test_2017_flickr")
LIBRARIES = ("keras", "numpy", "sacrebleu", "sacremoses", "tensorflow", "tensorflow-text")
LATENCY_SENTENCES = 50


def evaluate_translation(
    model,
    data_dir: str | Path | None = None,
    splits: Sequence[str] = SPLITS,
    beam_size: int = 5,
    batch_size: int = 64,
    verify: bool = True,
) -> dict:
    """Translates splits of Multi30k and measures quality and speed.

    Args:
        model: What has `translate(list of str, beam_size=, batch_size=) -> list of str`.
        data_dir: A folder with Multi30k; None downloads it (see `load_multi30k`).
        splits: Splits to measure, of `training.multi30k.SPLITS`.
        beam_size: Width of the beam search.
        batch_size: Sentences translated together; it changes the speed only.
        verify: Whether the data must be the published corpus.

    Returns:
        Plain values, ready for JSON: for each split its sentences, BLEU (lower-cased and tokenised;
        cased), chrF with signatures, seconds and the data's SHA-256; BLEU by source length over the
        test splits together (all splits if none is a test split); the latency of one sentence in
        milliseconds; versions and machine.

    Raises:
        ValueError: No split, an unknown one, or data that is not the published corpus.
        FileNotFoundError: Files are missing in `data_dir`.

    Example:
        >>> metrics = evaluate_translation(zoo.load("nmt_attention"), "multi30k")  # doctest: +SKIP
        >>> metrics["splits"]["test_2016_flickr"]["bleu"]["score"]  # doctest: +SKIP
    """
    if isinstance(splits, str) or not splits:
        raise ValueError(f"`splits` must name at least one split. Received: splits={splits!r}")
    data = {split: load_multi30k(data_dir, split, verify) for split in splits}
    # The first batches trace the graph: not part of the speed.
    model.translate(data[splits[0]].en[: 2 * batch_size], beam_size, batch_size=batch_size)
    hypotheses, measured = {}, {}
    for split, sentences in data.items():
        started = time.perf_counter()
        hypotheses[split] = model.translate(sentences.en, beam_size, batch_size=batch_size)
        seconds = time.perf_counter() - started
        measured[split] = {
            **_quality(hypotheses[split], sentences),
            "seconds": round(seconds, 2),
            "sentences_per_second": round(len(sentences.en) / seconds, 1),
            **_data(split, sentences),
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
        "latency": _latency(model, data[splits[0]].en[:LATENCY_SENTENCES], beam_size),
        "parameters": int(model.count_params()),
        "versions": {
            "rnn-zoo": zoo.__version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in LIBRARIES},
        },
        "machine": {"processor": platform.machine(), "cores": os.cpu_count()},
    }


def write_report(name_or_folder: str | Path, metrics: dict, command: str) -> Path:
    """Writes `metrics.json` and the model card made from it into a preset's folder.

    Args:
        name_or_folder: A preset, as `zoo.load` takes it.
        metrics: What `evaluate_translation` gave.
        command: The command line that measured.

    Returns:
        The path of `metrics.json`; `card.md` is beside it.

    Raises:
        ValueError: Unknown preset, a damaged `config.json`, or a model that has no card's text.
        OSError: The folder cannot be written; each file there stays whole.
    """
    folder, config = preset_folder(name_or_folder), read_config(name_or_folder)
    metrics = {
        "model": config["model"],
        # Ties the figures to these very weights.
        "weights_sha256": config["files"][WEIGHTS],
        "command": command,
        # How it was trained, seed and all; None for a model that was saved by hand.
        "training": config.get("training"),
        **metrics,
    }
    card = card_text(config, metrics)
    text = json.dumps(metrics, indent=2, ensure_ascii=False) + "\n"
    write_atomically(folder / METRICS, text.encode())
    write_atomically(folder / CARD, card.encode())
    return folder / METRICS


def read_metrics(path: str | Path) -> dict:
    """Reads a `metrics.json`.

    Args:
        path: The file, or the preset's folder that holds it.

    Returns:
        Its content.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is not what `write_report` writes.
    """
    path = Path(path)
    path = path / METRICS if path.is_dir() else path
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist: `zoo-train evaluate` writes it")
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        missing = {"model", "splits", "bleu_by_source_length"} - metrics.keys()
    except (ValueError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}): `zoo-train evaluate` anew") from error
    if missing:
        raise ValueError(
            f"{path} lacks {', '.join(sorted(missing))}: `zoo-train evaluate` writes it anew"
        )
    return metrics


def _quality(hypotheses, sentences) -> dict:
    return {
        "sentences": len(hypotheses),
        "bleu": lowercased_tokenised_bleu(hypotheses, sentences.de_tok)._asdict(),
        "cased_bleu": cased_bleu(hypotheses, sentences.de)._asdict(),
        "chrf": chrf(hypotheses, sentences.de)._asdict(),
    }


def _data(split, sentences) -> dict:
    """SHA-256 of the unpacked files, and whether they are the published ones."""
    digests = {
        name: sha256("".join(line + "\n" for line in lines).encode())
        for name, lines in sentences._asdict().items()
    }
    return {"sha256": digests, "published_data": digests == CHECKSUMS[split]}


def _latency(model, sentences, beam_size) -> dict:
    """Milliseconds for one sentence alone, from text to text."""
    model.translate(sentences[:1], beam_size)
    milliseconds = []
    for sentence in sentences:
        started = time.perf_counter()
        model.translate([sentence], beam_size)
        milliseconds.append(1000 * (time.perf_counter() - started))
    return {
        "sentences": len(sentences),
        "median_ms": round(statistics.median(milliseconds), 1),
        "slowest_ms": round(max(milliseconds), 1),
    }
