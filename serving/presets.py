"""A model repository for the zoo's presets: exports what is not there yet.

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


class Presets:
    """Presets of the zoo, or folders that `zoo.save` wrote, as models to serve.

    Args:
        names: The names of presets that `zoo.list_models()` lists, or folders of saved models.
        repository: The directory with one base path per model, `repository/NAME`. By default
            the user's cache directory, where the base path also carries a fingerprint of the
            preset and of the code: a newer one of either is exported anew.
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
        """Exports one of the models, unless its base path has a version.

        Raises:
            ServingError: The preset cannot be loaded or exported.
        """
        import export
        import zoo

        given, base_path = self._given[config.name], config.base_path
        with _refusals(given):
            if not _is_exported(base_path):
                self._report(f"Exporting {given} to {base_path} (only this once) ...")
                export.saved_model(zoo.load(given), base_path)


@contextlib.contextmanager
def _refusals(given: str) -> Iterator[None]:
    """Turns what the zoo and its exporter raise into errors of the server."""
    import export

    try:
        yield
    except (export.ExportError, OSError, ValueError) as error:
        raise invalid_argument(f"Preset {given} cannot be served: {error}") from error


def _is_exported(base_path: Path) -> bool:
    return base_path.is_dir() and bool(scan_versions(base_path))


def _base_path(given: str, name: str, repository: Path | None) -> Path:
    from zoo.presets import preset_folder

    if repository is None:
        return _cache_directory() / f"{name}-{_preset_fingerprint(given)}"
    base_path = repository.absolute() / name
    if not _is_exported(base_path):
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
