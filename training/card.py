"""The model card of a translator: Markdown made from `config.json` and `metrics.json` alone."""

import json

from training.multi30k import COMMIT, HOME

# Text-only attention of the WMT17 multimodal task: nmtpy, a single run, lower-cased tokenised BLEU.
PUBLISHED = {"validation": 39.17, "test_2016_flickr": 39.00, "test_2017_flickr": 31.25}
PUBLISHED_HOME = "https://github.com/lium-lst/wmt17-mmt"

WHAT = {
    "nmt_attention": (
        "English to German with attention: a bidirectional LSTM reads the source, an LSTM writes "
        "the translation and looks at every source position before each word. After Bahdanau, Cho "
        "and Bengio (2015); the lecture's *attention mechanism*."
    ),
    "nmt_vanilla": (
        "English to German without attention: one LSTM reads the source, and its last state is all "
        "that the writing LSTM gets. After Sutskever, Vinyals and Le (2014); the lecture's "
        "*seq2seq*. It is here to be compared with `nmt_attention`."
    ),
}

LIMITS = {
    "nmt_attention": "",
    "nmt_vanilla": (
        "- The whole source must fit into one state: in long sentences words are lost and others "
        "invented. See the table by source length.\n"
    ),
}


def card_text(config: dict, metrics: dict) -> str:
    """Writes the card.

    Args:
        config: Content of the preset's `config.json`.
        metrics: Content of its `metrics.json`, as `training.evaluate.write_report` makes it.

    Returns:
        Markdown text.

    Raises:
        ValueError: There is no text for this model.
    """
    name = config["model"]
    if name not in WHAT:
        raise ValueError(f"There is a card for {', '.join(WHAT)} only. Received: model={name!r}")
    latency, machine = metrics["latency"], metrics["machine"]
    speed = [split["sentences_per_second"] for split in metrics["splits"].values()]
    return f"""# {name}

{WHAT[name]}

{metrics["parameters"]:,} parameters. Weights: SHA-256 `{metrics["weights_sha256"]}`.

```python
import zoo

model = zoo.load("{name}")
model.translate(["A dog runs through the snow."])
```

## Data and licence

Multi30k, English to German, 29,000 training pairs: {HOME} (commit `{COMMIT}`).
Elliott et al. 2016 (W16-3210), Elliott et al. 2017 (W17-4718).
The repository has no licence file. Its README allows the underlying images for non-commercial
research and educational purposes. Take these weights, which were trained on the captions, as
research data for non-commercial use too.

## How it was made

{_training(metrics["training"])}

Measured with:

```
{metrics["command"]}
```

Network: `{json.dumps(config["config"], sort_keys=True)}`

Versions: {", ".join(f"{library} {version}" for library, version in metrics["versions"].items())}.

## Quality

Beam of {metrics["beam_size"]}. BLEU is counted as the published figure is, on lower-cased text,
normalised and tokenised by Moses; cased BLEU and chrF2 on the text as it comes out.

{_quality_table(metrics["splits"])}

Published: the text-only attention model (nmtpy) of {PUBLISHED_HOME}, a single run.

Signatures: {_signatures(metrics["splits"])}

BLEU by length of the source, on {" and ".join(metrics["bleu_by_source_length"]["splits"])}:

{_length_table(metrics["bleu_by_source_length"]["buckets"])}

## Speed

From text to text on {machine["cores"]} cores ({machine["processor"]}):

- {min(speed):.0f} to {max(speed):.0f} sentences a second in batches of {metrics["batch_size"]};
- one sentence alone in {latency["median_ms"]:.0f} ms, the median of {latency["sentences"]}; the
  slowest took {latency["slowest_ms"]:.0f} ms.

## Limits

- Trained on captions of photographs: short, present tense, people and dogs and streets. It
  translates other text badly until it is fine-tuned, and names and numbers are not safe with it.
- One sentence at a time; it knows nothing of the sentence before.
- Captions carry their writers' stereotypes (van Miltenburg 2016), and so do the translations.
{LIMITS[name]}- Not for decisions about people, and not for commercial use (see the data).
"""


def _training(training: dict | None) -> str:
    if training is None:
        return "Saved by hand: how it was trained is not recorded."
    if not {"command", "recipe", "epoch"} <= training.keys():
        return f"As told when it was saved: `{json.dumps(training, sort_keys=True)}`"
    command = training["command"] or "training.recipes.nmt.train(...)"
    plans = training.get("plans", [])
    # A run that was planned longer on the way did not have the learning rates of one plan.
    planned = "".join(
        f"From epoch {first} on the learning rate followed a plan of {epochs} epochs.\n"
        for first, epochs in (plans if len(plans) > 1 else [])
    )
    return f"""Trained with seed {training["recipe"]["seed"]}.
{planned}Kept: epoch {training["epoch"]}, the best by BLEU on validation.

```
{command}
```

Recipe: `{json.dumps(training["recipe"], sort_keys=True)}`"""


def _quality_table(splits: dict) -> str:
    rows = [
        "| split | sentences | BLEU | published BLEU | cased BLEU | chrF2 |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, split in splits.items():
        # The published figure says something about the published data only.
        comparable = split["published_data"] and name in PUBLISHED
        published = f"{PUBLISHED[name]:.2f}" if comparable else "-"
        rows.append(
            f"| {name} | {split['sentences']:,} | **{split['bleu']['score']:.2f}** | {published} "
            f"| {split['cased_bleu']['score']:.2f} | {split['chrf']['score']:.2f} |"
        )
    return "\n".join(rows)


def _signatures(splits: dict) -> str:
    split = next(iter(splits.values()))
    names = {"bleu": "BLEU", "cased_bleu": "cased BLEU", "chrf": "chrF2"}
    return "; ".join(f"{name} `{split[key]['signature']}`" for key, name in names.items()) + "."


def _length_table(buckets: list[dict]) -> str:
    rows = ["| words | sentences | BLEU |", "| --- | ---: | ---: |"]
    for bucket in buckets:
        bleu = "-" if bucket["bleu"] is None else f"{bucket['bleu']:.2f}"
        rows.append(f"| {bucket_label(bucket)} | {bucket['sentences']:,} | {bleu} |")
    return "\n".join(rows)


def bucket_label(bucket: dict) -> str:
    """A bucket of `bleu_by_source_length` in words: "8-9", "up to 7", "21 and more"."""
    if bucket["to"] is None:
        return f"{bucket['from']} and more"
    if bucket["from"] == 0:
        return f"up to {bucket['to']}"
    if bucket["from"] == bucket["to"]:
        return str(bucket["to"])
    return f"{bucket['from']}-{bucket['to']}"
