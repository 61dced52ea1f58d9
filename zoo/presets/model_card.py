"""The card of a model that was saved: Markdown made from its `config.json` alone.

What ships has a richer one, which `zoo-train evaluate` writes. The sections are called alike in
both, so that the terms of a preset go on to what is made of it. No TensorFlow is imported here.
"""

import importlib.metadata
import json
import platform
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.reports.tables import markdown_table

if TYPE_CHECKING:
    from zoo.models.base import ZooModel

TERMS = "Data and licence"
LIMITS = "Limits"
LIBRARIES = ("keras", "tensorflow", "tensorflow-text")
OF_FILES = {"audio": "recording"}  # columns of files, to what an entry is called
MOST_NAMES = 20  # of classes, in a sentence
NOT_EVALUATED = (
    "Not evaluated: no report was made of these weights before they were saved. "
    "`model.evaluate_report(x, y)` on rows that it was not trained on makes one, and "
    "`zoo.save` puts it here."
)


def described(model: "ZooModel", fits: bool = True) -> dict[str, Any]:
    """What `config.json` says of a model for its card, beside what there is to load it.

    Args:
        model: A model of the zoo.
        fits: Whether what `fit` did belongs to it.
    """
    made = model.provenance.to_config(model.get_weights)
    if not fits:
        made.pop("fits", None)
    column = model.verb_column
    text = column.rank == 0 and column.dtype == "string" and column.name not in OF_FILES
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    return {
        "task": model.task,
        "reads": "text" if text else OF_FILES.get(column.name, column.wire_name),
        "parameters": int(model.count_params()),
        "versions": {"python": platform.python_version(), **versions},
        **made,
    }


def ancestor(name: str, weights_sha256: str, card: str) -> dict[str, Any]:
    """What is kept of a preset by the models that are made of it.

    Args:
        name: Its name, or its folder's.
        weights_sha256: Of its weights' file.
        card: Its card, or an empty string.

    Returns:
        `name`, `weights_sha256` and, where the card has them, `terms` and `limits`: Markdown.
    """
    said = {"terms": own_section(card, TERMS), "limits": own_section(card, LIMITS)}
    said = {key: text for key, text in said.items() if text}
    return {"name": name, "weights_sha256": weights_sha256, **said}


def own_section(card: str, heading: str) -> str:
    """What a card says under a heading of its model itself, not of those it was made of."""
    ends = r"(?=^## |^### (?:From|Of) `|\Z)"
    found = re.search(rf"^## {heading}\n(.*?){ends}", card, re.DOTALL | re.MULTILINE)
    return found[1].strip() if found else ""


def card_text(name: str, config: Mapping[str, Any]) -> str:
    """Writes the card.

    Args:
        name: The folder's.
        config: Content of its `config.json`.

    Returns:
        Markdown text.
    """
    made = config.get("provenance") or {}
    sections = {
        "": what_section(config),
        "How to use it": _usage(name, made),
        TERMS: terms_section(made),
        "How it was made": making_section(config),
        "Quality": report_section(made) or NOT_EVALUATED,
        LIMITS: limits_section(made, measured="report" in made),
    }
    sections[""] += f"\n\nWeights: SHA-256 `{config['files']['model.weights.h5']}`."
    parts = [f"# {name}"]
    for heading, text in sections.items():
        if text:
            parts += [f"## {heading}", text] if heading else [text]
    return "\n\n".join(parts) + "\n"


def terms_section(made: Mapping[str, Any]) -> str:
    """What is known of the data and its licence; the presets it was made of have theirs."""
    parts = []
    if rows := [f"{fit['rows']:,}" for fit in made.get("fits", []) if fit.get("rows")]:
        parts.append(
            f"`fit` was given {' and then '.join(rows)} rows by the one who trained it. Where they "
            "come from and what they allow is not recorded."
        )
    elif made.get("fits"):
        parts.append("What `fit` was given, and what that allows, is not recorded.")
    for parent in made.get("ancestors", []):
        parts.append(f"### From `{parent['name']}`, whose weights it began with")
        parts.append(parent.get("terms") or f"`{parent['name']}` has no card that tells its terms.")
    return "\n\n".join(parts)


def what_section(config: Mapping[str, Any]) -> str:
    """What the model does and what it was made of."""
    made = config.get("provenance") or {}
    kind = f"A `{config['model']}` of rnn-zoo"
    if ancestors := made.get("ancestors"):
        how = "fine-tuned from" if made.get("fits") else "made of"
        kind += f", {how} `{ancestors[0]['name']}`"
    if parameters := made.get("parameters"):
        kind += f"; {parameters:,} parameters"
    return f"{_purpose(config, made)} {kind}.".strip()


def _purpose(config: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """A sentence, of which the playground makes a title."""
    task, reads = made.get("task"), made.get("reads", "text")
    arguments = config["config"]
    if task == "classify" and arguments.get("labels"):
        if arguments.get("multi_label"):
            return f"Which of {_listed(arguments['labels'], 'and')} is a {reads}?"
        return f"Is a {reads} {_listed(arguments['labels'], 'or')}?"
    if task == "tag" and arguments.get("types"):
        return f"Finds {_listed(arguments['types'], 'and')} in a {reads}."
    if task == "translate":
        return "Translates texts."
    if task == "forecast":
        return "Says how a series of numbers goes on."
    if task == "complete":
        return "Goes on writing a text."
    return f"Reads a {reads}; its verb is `{task}`." if task else ""


def _listed(names: Sequence[str], joint: str) -> str:
    if len(names) > MOST_NAMES:
        names = [*names[:MOST_NAMES], f"{len(names) - MOST_NAMES} more"]
    *first, last = names
    return f"{', '.join(first)} {joint} {last}" if first else last


def _usage(name: str, made: Mapping[str, Any]) -> str:
    example = f"\nmodel.{made['task']}(...)" if made.get("task") else ""
    entry = {"text": '"..."', "recording": "sound.wav"}.get(made.get("reads"))
    run = f"zoo run {name} {entry}\n" if entry else ""
    return f"""```python
import zoo

model = zoo.load("{name}")  # or wherever its folder is{example}
```

```
{run}zoo-export {name} --base models/{name}
zoo-serve --model_name={name} --model_base_path=$PWD/models/{name}
```"""


def making_section(config: Mapping[str, Any]) -> str:
    """How it was made: each `fit`, the network, the versions."""
    made = config.get("provenance") or {}
    parts = []
    if told := config.get("training"):
        parts.append(f"As told when it was saved: `{json.dumps(told, sort_keys=True)}`")
    parts += filter(None, [fits_section(made)])
    parts.append(f"Network: `{json.dumps(config['config'], sort_keys=True)}`")
    versions = {"rnn-zoo": config.get("zoo_version"), **made.get("versions", {})}
    listed = ", ".join(f"{library} {version}" for library, version in versions.items() if version)
    return "\n\n".join([*parts, *([f"Versions: {listed}."] if listed else [])])


def fits_section(made: Mapping[str, Any]) -> str:
    """What was changed and what `fit` did; empty if nothing is recorded."""
    parts = []
    if changed := made.get("changed"):
        parents = [f"`{parent['name']}`" for parent in made.get("ancestors", [])[:1]]
        values = ", ".join(f"`{key}={json.dumps(value)}`" for key, value in changed.items())
        parts.append(f"Other than in {(parents or ['what it was loaded from'])[0]}: {values}.")
    fits = made.get("fits", [])
    for number, fit in enumerate(fits, 1):
        which = f"`fit`, call {number} of {len(fits)}" if len(fits) > 1 else "`fit`"
        parts.append(f"{which}: {_extent(fit)}.")
        if table := _epochs_table(fit):
            parts.append(table)
    return "\n\n".join(parts)


def _extent(fit: Mapping[str, Any]) -> str:
    """On how much a `fit` trained, and how long."""
    said = [
        f"{_counted(fit['rows'], 'row', 'rows')} in batches of {fit['batch_size']}"
        if fit.get("rows")
        else "",
        f"{_counted(fit['batches'], 'batch', 'batches')} an epoch" if fit.get("batches") else "",
    ]
    if "epochs" in fit:
        said.append(_counted(fit["epochs"], "epoch", "epochs"))
    else:
        said.append("not ended when it was saved")
    if "stopped" in fit:
        said.append(f"then stopped ({fit['stopped']})")
    if "kept_epoch" in fit:
        said.append(f"of which the weights of epoch {fit['kept_epoch']} were kept")
    return ", ".join(filter(None, said))


def _counted(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _epochs_table(fit: Mapping[str, Any]) -> str:
    """The figures of a `fit` in the epochs that matter; empty if there are none."""
    figures, last = fit.get("figures", {}), fit.get("epochs", 0)
    # Validation may have been done in some epochs only: which, is not told.
    figures = {name: values for name, values in figures.items() if len(values) == last}
    if not figures or not last:
        return ""
    epochs = {1: "1", last: f"{last}, the last"}
    if "val_loss" in figures:
        best = 1 + min(range(last), key=figures["val_loss"].__getitem__)
        epochs.setdefault(best, f"{best}, the lowest `val_loss`")
    if kept := fit.get("kept_epoch"):
        epochs[kept] = f"{kept}, whose weights were kept"
    rows = [
        [epochs[epoch], *(f"{values[epoch - 1]:.4g}" for values in figures.values())]
        for epoch in sorted(epochs)
    ]
    return markdown_table(["epoch", *figures], rows)


def report_section(made: Mapping[str, Any]) -> str:
    """The last report on the weights that were saved; empty if there was none."""
    if "report" not in made:
        return ""
    from zoo.reports.kinds import report_of

    return f"Measured by `model.evaluate_report`.\n\n{report_of(made['report']).markdown()}"


def limits_section(made: Mapping[str, Any], measured: bool) -> str:
    """What is not known of it, and the limits of what it was made of.

    Args:
        made: What `config.json` has under `provenance`.
        measured: Whether the card has figures.
    """
    limits = []
    if measured:
        limits.append("Measured on the data of the figures above alone; on other data it was not.")
    else:
        limits.append("Not evaluated: how good it is, is not known.")
    if any(fit.get("figures") for fit in made.get("fits", [])):
        limits.append(
            "The figures of `fit` are of the rows that it was trained on; those that begin with "
            "`val_`, of the rows it was validated on."
        )
    ancestors = made.get("ancestors", [])
    if ancestors:
        names = " and ".join(f"`{parent['name']}`" for parent in ancestors)
        limits.append(f"Figures in the card of {names} are of that preset, not of this one.")
    parts = ["\n".join(f"- {limit}" for limit in limits)]
    for parent in ancestors:
        if parent.get("limits"):
            parts += [f"### Of `{parent['name']}`, as its card tells them", parent["limits"]]
    return "\n\n".join(parts)
