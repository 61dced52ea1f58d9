"""The model card: Markdown made from `config.json` and `metrics.json` alone.

The frame is the same for all. The preset's prose stands beside its recipe, what there is to say of
the figures in its evaluation (`zoo.training.evaluation.lookup` finds both).
"""

import json
from collections.abc import Mapping
from typing import Any

from zoo.presets import list_models, model_card
from zoo.training.evaluation.base import Evaluation
from zoo.training.evaluation.lookup import card_of, evaluation_of, preset_name
from zoo.training.loop.schedule import recorded


def card_text(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Writes the card.

    Args:
        config: Content of the preset's `config.json`.
        metrics: Content of its `metrics.json`, as `report.write_report` makes it.

    Returns:
        Markdown text.

    Raises:
        ValueError: Nothing measures this model.
    """
    evaluation, card, name = evaluation_of(config), card_of(config), preset_name(config)
    example = f"\n{evaluation.example}" if evaluation.example else ""
    # A folder of the user's own has no name to be loaded by.
    where = "" if name in list_models() else "  # or wherever its folder is"
    speed = _speed(evaluation, metrics)
    made = config.get("provenance") or {}
    report = model_card.report_section(made)
    report = f"\n\n### On other rows\n\n{report}" if report else ""
    return f"""# {name}

{card.what}

{metrics["parameters"]:,} parameters. Weights: SHA-256 `{metrics["weights_sha256"]}`.

```python
import zoo

model = zoo.load("{name}"){where}{example}
```

## Data and licence

{card.data}

## How it was made

{_training(metrics["training"], evaluation.chosen_by, made)}

Measured with:

```
{metrics["command"]}
```

Network: `{json.dumps(config["config"], sort_keys=True)}`

Versions: {", ".join(f"{library} {version}" for library, version in metrics["versions"].items())}.

## Quality

{evaluation.quality_section(metrics)}{report}
{speed}
## Limits

{card.limits}
"""


def bucket_label(bucket: Mapping[str, Any]) -> str:
    """A bucket of lengths in words: "8-9", "up to 7", "21 and more"."""
    if bucket["to"] is None:
        return f"{bucket['from']} and more"
    if bucket["from"] == 0:
        return f"up to {bucket['to']}"
    if bucket["from"] == bucket["to"]:
        return str(bucket["to"])
    return f"{bucket['from']}-{bucket['to']}"


def _training(training: Mapping[str, Any] | None, chosen_by: str, made: Mapping[str, Any]) -> str:
    if training is None:
        return model_card.fits_section(made) or (
            "Saved by hand: how it was trained is not recorded."
        )
    if not {"command", "recipe", "epoch"} <= training.keys():
        return f"As told when it was saved: `{json.dumps(training, sort_keys=True)}`"
    command = training["command"] or "zoo.training.recipes.train(...)"
    recipe = recorded(training["recipe"])
    plans = training.get("plans", [])
    # A run that was planned longer on the way did not have the learning rates of one plan.
    planned = "".join(
        f"From epoch {first} on the learning rate followed a plan of {epochs} epochs.\n"
        for first, epochs in (plans if len(plans) > 1 else [])
    )
    origin = _began_with(training, chosen_by) + _averaged(training)
    return f"""Trained with seed {recipe["seed"]}.
{planned}Kept: epoch {training["epoch"]}, the best by {chosen_by}.

```
{command}
```

Recipe: `{json.dumps(recipe, sort_keys=True)}`{origin}"""


def _averaged(training: Mapping[str, Any]) -> str:
    """Of which runs the weights are the mean, if they are one."""
    averaged = training.get("averaged")
    if not averaged:
        return ""
    rows = [
        f"- epoch {of['epoch']} of `{of['recipe']}`, SHA-256 `{of['weights_sha256']}`"
        for of in averaged
    ]
    command = training["average_command"] or "zoo.training.loop.averages.average(...)"
    return (
        f"\n\nThe weights are the mean (Wortsman et al. 2022) of:\n\n{chr(10).join(rows)}\n\n"
        f"```\n{command}\n```"
    )


def _began_with(training: Mapping[str, Any], chosen_by: str) -> str:
    """How the weights were made that a run began with, if it began with any."""
    began = training.get("began_with")
    if not began:
        return ""
    return (
        f"\n\nIt began with weights of SHA-256 `{began['weights_sha256']}`, made so:\n\n"
        f"{_training(began['training'], chosen_by, {})}"
    )


def _speed(evaluation: Evaluation, metrics: Mapping[str, Any]) -> str:
    """The section on speed, if speed was measured."""
    machine, unit = metrics["machine"], evaluation.unit
    speed = [split.get(f"{unit}_per_second") for split in metrics["splits"].values()]
    if "latency" not in metrics or None in speed:
        return ""
    latency, one = metrics["latency"], evaluation.unit.removesuffix("s")
    return f"""
## Speed

{evaluation.way} on {machine["cores"]} cores ({machine["processor"]}):

- {min(speed):,.0f} to {max(speed):,.0f} {unit} a second in batches of {metrics["batch_size"]};
- one {one} alone in {latency["median_ms"]:.0f} ms, the median of {latency[unit]}; the slowest
  took {latency["slowest_ms"]:.0f} ms.
"""
