"""A model repository for the zoo's presets: exports those that are new or have changed.

The only place of this package that knows the zoo, and only when a preset is named on the command
line. Any model that `zoo.load` knows can be served, also one of the user's own package.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.files import user_cache
from zoo.serving.errors import invalid_argument
from zoo.serving.lifecycle.base_path import scan_versions
from zoo.serving.lifecycle.config import ModelConfig

_FINGERPRINT_LENGTH = 12
#: Where a version has the fingerprint of its preset; TensorFlow Serving passes over the file.
_ORIGIN = Path("assets.extra", "zoo_preset_fingerprint")


class Presets:
    """Presets of the zoo, or folders that `zoo.save` wrote, as models to serve.

    Args:
        names: The names of presets that `zoo.list_models()` lists, or folders of saved models.
        repository: The directory with one base path per model, `repository/NAME`; by default the
            user's cache directory, where the base path also carries the preset's fingerprint.
        report: Called with a line of text before something takes long.

    Attributes:
        models: Model name -> configuration, in the order of `names`.

    Raises:
        ServingError: There is no such preset, or two would be served under one name.
    """

    def __init__(
        self, names: Sequence[str], repository: Path | None, report: Callable[[str], None]
    ) -> None:
        self.models: dict[str, ModelConfig] = {}
        self._given: dict[str, str] = {}
        self._report = report
        for given in names:
            name = Path(given).resolve().name  # "." has a name too
            if name in self.models:
                raise invalid_argument(
                    f"Two presets would be served as {name}; name each once, and rename the folder "
                    f"of one. Received: {' '.join(names)}"
                )
            with _refusals(given):
                self.models[name] = ModelConfig(name, _base_path(given, name, repository))
            self._given[name] = given

    def export_if_missing(self, config: ModelConfig) -> None:
        """Exports one of the models, unless its newest version came from this very preset.

        Versions that are there stay: the new one gets the next number, and is served.

        Raises:
            ServingError: The preset cannot be loaded or exported.
        """
        given, base_path = self._given[config.name], config.base_path
        newest = _newest_version(base_path)
        if newest and not _is_there(given):
            self._report(f"{given} is gone; {newest} is served, which may have come from it")
            return
        with _refusals(given):
            fingerprint = _preset_fingerprint(given)
            if newest and _origin(newest) == fingerprint:
                return
            self._report(f"Exporting {given} to {base_path}{_reason(newest)} ...")
            _note_origin(export_in_a_child(given, base_path), fingerprint)


def export_in_a_child(given: str, base_path: Path) -> Path:
    """Exports a preset by `zoo-export`, whose process takes Keras and the model with it.

    Args:
        given: The name of a preset, or the folder of a saved model.
        base_path: The directory of the model's versions.

    Returns:
        The directory of the new version.

    Raises:
        ServingError: The preset cannot be loaded or exported.
    """
    program = "from zoo.export.__main__ import main; main(prog_name='zoo-export')"
    ended = subprocess.run(
        [sys.executable, "-P", "-c", program, given, "--base", str(base_path)],
        # It imports what this process would, also where that is not installed.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    if ended.returncode != 0:
        reason = ended.stderr.rpartition("Error: ")[2].strip() or f"exit {ended.returncode}"
        raise invalid_argument(f"Preset {given} cannot be served: {reason[-2000:]}")
    return _newest_version(base_path)


@contextlib.contextmanager
def _refusals(given: str) -> Iterator[None]:
    """Turns what the zoo raises of a preset into errors of the server."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise invalid_argument(f"Preset {given} cannot be served: {error}") from error


def _newest_version(base_path: Path) -> Path | None:
    """The directory of the version that is served, if the model has any."""
    versions = scan_versions(base_path) if base_path.is_dir() else {}
    return versions[max(versions)] if versions else None


def _is_there(given: str) -> bool:
    from zoo.presets import list_models

    return given in list_models() or Path(given).exists()


def _origin(version: Path) -> str | None:
    """The fingerprint of the preset that a version was made from, if that is known."""
    try:
        return (version / _ORIGIN).read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _reason(newest: Path | None) -> str:
    if not newest:
        return " (only this once)"
    if _origin(newest):
        return f": it has changed since version {newest.name} was made"
    return f": version {newest.name} does not tell what it was made from"


def _note_origin(version: Path, fingerprint: str) -> None:
    """Notes it in the version itself, so that both go together wherever they go."""
    path = version / _ORIGIN
    path.parent.mkdir(exist_ok=True)
    path.write_text(fingerprint + "\n", encoding="utf-8")


def _base_path(given: str, name: str, repository: Path | None) -> Path:
    from zoo.presets import preset_folder

    if repository is None:
        return user_cache("served-models") / f"{name}-{_preset_fingerprint(given)}"
    base_path = repository.absolute() / name
    if not _newest_version(base_path):
        preset_folder(given)  # a name that is misspelt is told before the ports open
    return base_path


def _preset_fingerprint(given: str) -> str:
    """Hashes what an export depends on: `config.json`, with all files' SHA-256, and the code."""
    from zoo.presets import CONFIG, preset_folder, read_config

    digest = hashlib.sha256((preset_folder(given) / CONFIG).read_bytes())
    # Versions alone would not do for somebody who works on the zoo or on a model of their own.
    for source in _sources(read_config(given)):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:_FINGERPRINT_LENGTH]


def _sources(config: Mapping[str, Any]) -> list[Path]:
    """The code that runs in an export: the zoo's, and that of the package a model came from."""
    import zoo

    sources = _files_below(Path(zoo.__file__).parent)
    if package := config.get("package"):
        sources += _files_of_package(package)
    return sources


def _files_of_package(package: str) -> list[Path]:
    """The files of the modules in which a distribution has its models; none is imported."""
    from zoo.registry import ENTRY_POINTS

    modules = {
        point.module.partition(".")[0]
        for point in importlib.metadata.entry_points(group=ENTRY_POINTS)
        if point.dist and _normalised(point.dist.name) == _normalised(package)
    }
    specs = [importlib.util.find_spec(module) for module in sorted(modules)]
    if not any(specs):
        raise ValueError(
            f"it was saved with the package {package!r}: install that, with the entry point "
            f"{ENTRY_POINTS!r}"
        )
    files = []
    for file in (Path(spec.origin) for spec in specs if spec):
        files += _files_below(file.parent) if file.name == "__init__.py" else [file]
    return files


def _normalised(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _files_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))
