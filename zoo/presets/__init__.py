"""Pretrained models as folders: `config.json`, `model.weights.h5`, `assets/`, `card.md`.

The presets that ship stand beside this file; `zoo.save` makes further ones anywhere.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.close_names import did_you_mean
from zoo.files import whole_folder
from zoo.presets import model_card
from zoo.provenance import Provenance

if TYPE_CHECKING:
    from zoo.models.base import ZooModel

PRESETS_DIR = Path(__file__).parent
CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
ASSETS = "assets"
CARD = "card.md"


def list_models(task: str | None = None, language: str | None = None) -> list[str]:
    """Names of the presets that ship, sorted.

    Args:
        task: Only those with this verb: `"classify"`, `"tag"`, `"translate"`.
        language: Only those that read or write this language, such as `"en"` (ISO 639-1).

    Raises:
        ValueError: No preset has this task, or this language.

    Example:
        >>> zoo.list_models(task="translate", language="de")
        ['nmt_attention', 'nmt_vanilla']
    """
    names = sorted(path.parent.name for path in PRESETS_DIR.glob(f"*/{CONFIG}"))
    for argument, wanted in ("task", task), ("language", language):
        if wanted is not None:
            has = {name: _declared(name, argument) for name in names}
            known = {value for values in has.values() for value in values if value}
            if wanted not in known:
                hint = did_you_mean(wanted, known, 1, cutoff=0.4)
                raise ValueError(
                    f"`{argument}` must be one of {', '.join(sorted(known)) or 'none'}. "
                    f"{f'{hint} ' if hint else ''}Received: {argument}={wanted!r}"
                )
            names = [name for name in names if wanted in has[name]]
    return names


def _declared(name: str, field: str) -> list[str]:
    """What the `config.json` of a preset that ships says that it does, or its languages."""
    config = read_config(name)
    return config.get("languages", []) if field == "language" else [config.get("task")]


def preset_folder(name_or_folder: str | Path) -> Path:
    """The folder of a preset.

    Args:
        name_or_folder: The name of a preset that ships (`"nmt_attention"`), or the path of a
            folder that `zoo.save` wrote.

    Raises:
        TypeError: Neither string nor path.
        ValueError: No preset of this name and no folder; the message has close matches.
        FileNotFoundError: A folder, but not of a preset.
    """
    if not isinstance(name_or_folder, (str, Path)):
        raise TypeError(
            "`name_or_folder` must be the name of a preset or a path. "
            f"Received: {name_or_folder!r} ({type(name_or_folder).__name__})"
        )
    if name_or_folder in list_models():
        return PRESETS_DIR / name_or_folder
    folder = Path(name_or_folder).expanduser()
    if folder.is_dir() and str(name_or_folder):
        if not (folder / CONFIG).is_file():
            raise FileNotFoundError(
                f"`name_or_folder` is a folder without {CONFIG}: not one that zoo.save wrote. "
                f"Received: {str(folder)!r}"
            )
        return folder
    hint = did_you_mean(name_or_folder, list_models(), 3, cutoff=0.4) or "No name is close."
    raise ValueError(
        f"`name_or_folder` is neither a preset nor a folder. {hint} "
        f"Presets: {', '.join(list_models()) or 'none'}. Received: {str(name_or_folder)!r}"
    )


def read_config(name_or_folder: str | Path) -> dict[str, Any]:
    """The content of a preset's `config.json`.

    Raises:
        ValueError: The file is damaged, besides what `preset_folder` raises.
    """
    path = preset_folder(name_or_folder) / CONFIG
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"{path} is damaged: it must hold an object. Received: {config!r:.60}")
    for key, kind in (("model", str), ("config", dict), ("files", dict)):
        if not isinstance(config.get(key), kind):
            raise ValueError(
                f"{path} is damaged: it must have an entry {key!r} of type {kind.__name__}. "
                f"Received: {config.get(key)!r:.60}"
            )
    if WEIGHTS not in config["files"]:
        raise ValueError(f"{path} is damaged: 'files' must name {WEIGHTS}")
    return config


def load(name_or_folder: str | Path, **overrides: Any) -> "ZooModel":
    """A pretrained model, ready to use, fine-tune or export. Works offline.

    Args:
        name_or_folder: The name of a preset (see `zoo.list_models()`) or the path of a folder
            that `zoo.save` wrote; `~` is your home. A preset's name comes before a folder's: one
            that is called alike is `"./sentiment"`.
        **overrides: Arguments of the model to be other than in the preset: classes of your own
            (`labels=[...]` of a classifier, `types=[...]` of a tagger) or what has no weights
            (a dropout). With other classes the last layers are fresh, to be trained with `fit`,
            and all others have the preset's weights.

    Returns:
        A compiled `keras.Model` of the zoo, such as `zoo.models.NMTAttention`.

    Raises:
        TypeError: An override that the model has no argument for; the message lists them.
        ValueError: Unknown name (with close matches); a file that is not the one saved: the
            message names the file and its SHA-256; or an override that the weights do not fit.
        FileNotFoundError: A file of the preset is missing.
        RuntimeError: In a process that was forked after TensorFlow had started.

    Example:
        >>> model = zoo.load("nmt_attention")
        >>> model.translate(["A dog runs."])
        >>> model = zoo.load("sentiment", labels=["bug", "feature", "question"])
        >>> model.fit(texts, labels)
    """
    from zoo.models.forking import check_process
    from zoo.registry import model_class
    from zoo.weights import load_weights

    check_process()
    folder = preset_folder(name_or_folder)
    config = read_config(name_or_folder)
    try:
        cls = model_class(config["model"], config.get("package"))
    except ValueError as error:
        raise ValueError(f"{folder / CONFIG} names an {error}") from None
    check_files(folder, config)
    assets = {
        name.removeprefix(f"{ASSETS}/"): (folder / name).read_bytes()
        for name in config["files"]
        if name.startswith(f"{ASSETS}/")
    }
    try:
        model = cls.from_assets(config["config"], assets)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{folder / CONFIG} is damaged: it makes no {config['model']} "
            f"({type(error).__name__}: {error})"
        ) from error
    load_weights(model, folder / WEIGHTS)
    if _goes_on(config):
        model.provenance = Provenance.from_config(config["provenance"], model.get_weights)
    else:
        model.provenance.ancestors = _ancestors(folder, config)
    if overrides:
        model = _changed(model, overrides, assets, folder, config)
    model.keeps_graphs = True
    return model


def _by_recipe(training: dict[str, Any] | None) -> bool:
    """Whether a recipe trained the model: its record tells more than that of `fit`."""
    return "recipe" in (training or {})


def _goes_on(config: dict[str, Any]) -> bool:
    """Whether a model that is loaded is still the one that was saved, rather than made of it."""
    return "provenance" in config and not _by_recipe(config.get("training"))


def _ancestors(folder: Path, config: dict[str, Any]) -> list[dict[str, Any]]:
    """What models keep of the preset that they are made of, and of those which it was made of."""
    text = (folder / CARD).read_text(encoding="utf-8") if (folder / CARD).is_file() else ""
    parent = model_card.ancestor(folder.resolve().name, config["files"][WEIGHTS], text)
    return [parent, *config.get("provenance", {}).get("ancestors", [])]


def _changed(
    model: "ZooModel",
    overrides: dict[str, Any],
    assets: dict[str, bytes],
    folder: Path,
    config: dict[str, Any],
) -> "ZooModel":
    """The model with other arguments: its weights, but fresh heads if those are other."""
    from zoo.weights import copy_weights

    arguments = model.get_config()
    for name, value in overrides.items():
        if name not in arguments:
            raise TypeError(
                f"{type(model).__name__} has no argument `{name}`, only {', '.join(arguments)}. "
                f"Received: {name}={value!r}"
            )
    named = not overrides.keys().isdisjoint(model.head_arguments)
    defaults = model.head_defaults if named else {}
    changed = type(model).from_assets({**arguments, **defaults, **overrides}, assets)
    other_head = any(arguments[name] != changed.get_config()[name] for name in model.head_arguments)
    if defaults and not other_head:  # the classes are the same: what is said of them holds
        changed = type(model).from_assets({**arguments, **overrides}, assets)
    copy_weights(model, changed, but=model.head_layers if other_head else ())
    made = model.provenance
    if other_head and _goes_on(config):
        made = Provenance(ancestors=_ancestors(folder, config))
    changed.provenance = made
    now = changed.get_config()
    made.changed = {**made.changed, **{name: now[name] for name in overrides}}
    if any(now[name] != arguments[name] for name in overrides):
        made.report = None  # it may have been of other answers
    return changed


def save(
    model: "ZooModel",
    folder: str | Path,
    overwrite: bool = False,
    half: bool = True,
    training: dict[str, Any] | None = None,
) -> Path:
    """Writes a model as a preset folder, whole or not at all, with a card of what is known of it.

    The card, `card.md`, tells what the model is and how to use it, the presets it was made of with
    their terms, what `fit` had and did, and the last `model.evaluate_report` of these weights.

    Args:
        model: A model of the zoo.
        folder: Where; `~` is your home, and parents are made.
        overwrite: Replace a folder that stands there.
        half: Store float32 weights as float16, which differ by less than 0.05 % (below 6e-5 by up
            to 3e-8), and large tables of vectors as int8 with a step for each row, off by at most
            0.4 % of the row's largest number. Pass False to go on training from exact weights.
        training: Plain values that tell how the model came about, kept in `config.json`.

    Returns:
        The folder.

    Raises:
        TypeError: Not a model of the zoo.
        FileExistsError: The folder exists and `overwrite` is false, or it exists and is neither
            a preset nor empty.
        ValueError: Weights that are not finite, or too large for half precision.
        OSError: The disk is full or cannot be written; what stood there is untouched.
    """
    from zoo import __version__
    from zoo.registry import model_name, model_names, package_of
    from zoo.weights import save_weights

    registered = model_name(model)
    if registered is None:
        raise TypeError(
            f"`model` must be one of {', '.join(model_names())}, or of a class decorated with "
            f"`zoo.register`. Received: {type(model).__name__}"
        )
    folder = Path(folder).expanduser()
    ours = folder.is_dir() and ((folder / CONFIG).is_file() or not any(folder.iterdir()))
    if overwrite and folder.exists() and not ours:
        raise FileExistsError(
            "`folder` is or holds something else than a preset, which is not overwritten. "
            f"Received: {str(folder)!r}"
        )
    with whole_folder(folder, overwrite) as partial:
        (partial / ASSETS).mkdir()
        for name, content in model.assets().items():
            (partial / ASSETS / name).write_bytes(content)
        save_weights(model, partial / WEIGHTS, half)
        files = [WEIGHTS, *(f"{ASSETS}/{name}" for name in model.assets())]
        package = package_of(type(model))
        config = {
            "model": registered,
            **({"package": package} if package else {}),
            "zoo_version": __version__,
            "task": model.task,
            "config": model.get_config(),
            "files": {name: file_sha256(partial / name) for name in files},
            "training": training,
            "provenance": model_card.described(model, fits=not _by_recipe(training)),
        }
        (partial / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        text = model_card.card_text(folder.resolve().name, config)
        (partial / CARD).write_text(text, encoding="utf-8", errors="replace")
    return folder


def card(name: str | Path) -> str:
    """The model card: data and licence, how it was trained, figures, limits. Markdown text.

    Args:
        name: As for `load`.

    Returns:
        The folder's `card.md`; of a folder without one, as older versions saved them, what
        `config.json` alone tells.

    Raises:
        FileNotFoundError: A folder, but not of a preset.
        ValueError: Unknown name, or a damaged `config.json`.
    """
    folder = preset_folder(name)
    path = folder / CARD
    if path.is_file():
        return path.read_text(encoding="utf-8")
    return model_card.card_text(folder.resolve().name, read_config(name))


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_files(folder: Path, config: dict[str, Any]) -> None:
    """Raises as `check_file` does unless all files of a preset are as its configuration says."""
    for name, expected in config["files"].items():
        check_file(folder / name, expected)


def check_file(path: Path, expected: str) -> None:
    """Raises FileNotFoundError or ValueError unless a preset's file has the expected SHA-256."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: the preset is not complete")
    actual = file_sha256(path)
    if actual != expected:
        raise ValueError(
            f"{path} is damaged or was changed: its sha256 is {actual}, {CONFIG} says {expected}. "
            "Install or save it again"
        )
