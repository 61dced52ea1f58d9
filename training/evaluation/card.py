"""The model card: Markdown made from `config.json` and `metrics.json` alone.

The frame is the same for all; what the task has to say stands in its module of
`training.evaluation` (`WHAT`, `EXAMPLE`, `MEASURE` and the `..._section` functions).
"""

import json


def card_text(task, config: dict, metrics: dict) -> str:
    """Writes the card.

    Args:
        task: The module of `training.evaluation` for this model.
        config: Content of the preset's `config.json`.
        metrics: Content of its `metrics.json`, as `report.write_report` makes it.

    Returns:
        Markdown text.

    Raises:
        ValueError: There is no text for this model.
    """
    name = preset_name(config)
    # A model saved by hand has no preset's name: what is true of its kind.
    what = task.WHAT.get(name, task.WHAT.get(config["model"]))
    if what is None:
        raise ValueError(
            f"There is a card for {', '.join(task.WHAT)} only. Received: model={config['model']!r}"
        )
    return f"""# {name}

{what}

{metrics["parameters"]:,} parameters. Weights: SHA-256 `{metrics["weights_sha256"]}`.

```python
import zoo

model = zoo.load("{name}")
{task.EXAMPLE}
```

## Data and licence

{task.data_section(config)}

## How it was made

{_training(metrics["training"], task.MEASURE)}

Measured with:

```
{metrics["command"]}
```

Network: `{json.dumps(config["config"], sort_keys=True)}`

Versions: {", ".join(f"{library} {version}" for library, version in metrics["versions"].items())}.

## Quality

{task.quality_section(metrics)}

## Speed

{_speed(metrics)}

## Limits

{task.limits_section(config)}
"""


def preset_name(config: dict) -> str:
    """The preset that a `config.json` is of: its recipe's name, else the model's."""
    recipe = (config.get("training") or {}).get("recipe") or {}
    return recipe.get("name", config["model"])


def markdown_table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table: the first column to the left, the others, figures, to the right."""
    ruler = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, ruler, *rows))


def bucket_label(bucket: dict) -> str:
    """A bucket of lengths in words: "8-9", "up to 7", "21 and more"."""
    if bucket["to"] is None:
        return f"{bucket['from']} and more"
    if bucket["from"] == 0:
        return f"up to {bucket['to']}"
    if bucket["from"] == bucket["to"]:
        return str(bucket["to"])
    return f"{bucket['from']}-{bucket['to']}"


def _training(training: dict | None, measure: str) -> str:
    if training is None:
        return "Saved by hand: how it was trained is not recorded."
    if not {"command", "recipe", "epoch"} <= training.keys():
        return f"As told when it was saved: `{json.dumps(training, sort_keys=True)}`"
    command = training["command"] or "training.recipes.train(...)"
    plans = training.get("plans", [])
    # A run that was planned longer on the way did not have the learning rates of one plan.
    planned = "".join(
        f"From epoch {first} on the learning rate followed a plan of {epochs} epochs.\n"
        for first, epochs in (plans if len(plans) > 1 else [])
    )
    return f"""Trained with seed {training["recipe"]["seed"]}.
{planned}Kept: epoch {training["epoch"]}, the best by {measure}.

```
{command}
```

Recipe: `{json.dumps(training["recipe"], sort_keys=True)}`"""


def _speed(metrics: dict) -> str:
    latency, machine = metrics["latency"], metrics["machine"]
    speed = [split["texts_per_second"] for split in metrics["splits"].values()]
    return f"""From text to text on {machine["cores"]} cores ({machine["processor"]}):

- {min(speed):,.0f} to {max(speed):,.0f} texts a second in batches of {metrics["batch_size"]};
- one text alone in {latency["median_ms"]:.0f} ms, the median of {latency["texts"]}; the slowest
  took {latency["slowest_ms"]:.0f} ms."""
