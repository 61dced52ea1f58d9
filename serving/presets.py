"""A model repository for the zoo's presets: exports those that are new or have changed.

The only place of this package that knows the zoo, and only when a preset is named on the command
line. Any model that `zoo.load` knows can be served, also one of the user's own package.
"""

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from serving.errors import invalid_argument
from serving.lifecycle.base_path import scan_versions
from serving.lifecycle.config import ModelConfig

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
        import export
        import zoo

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
            _note_origin(export.saved_model(zoo.load(given), base_path), fingerprint)


@contextlib.contextmanager
def _refusals(given: str) -> Iterator[None]:
    """Turns what the zoo and its exporter raise into errors of the server."""
    import export

    try:
        yield
    except (export.ExportError, OSError, ValueError) as error:
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
        return _cache_directory() / f"{name}-{_preset_fingerprint(given)}"
    base_path = repository.absolute() / name
    if not _newest_version(base_path):
        preset_folder(given)  # a name that is misspelt is told before the ports open
    return base_path


def _cache_directory() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "rnn-zoo" / "served-models"


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

    sources = _files_of(zoo)
    if package := config.get("package"):
        from zoo.registry import model_class

        module = model_class(config["model"], package).__module__
        sources += _files_of(sys.modules[module.partition(".")[0]])
    return sources


def _files_of(module: ModuleType) -> list[Path]:
    """The files of a package, or the one file of a module."""
    file = Path(module.__file__)
    return sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
