"""A model repository for the zoo's presets: exports what is not there yet.

The only place of this package that knows the zoo, and only when a preset is named on the command
line.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from serving.errors import invalid_argument
from serving.lifecycle.base_path import scan_versions
from serving.lifecycle.config import ModelConfig

_FINGERPRINT_LENGTH = 12


def preset_models(
    names: Sequence[str], repository: Path | None, report: Callable[[str], None]
) -> dict[str, ModelConfig]:
    """Makes sure that the presets are exported, and returns how to serve them.

    Args:
        names: Of presets, as `zoo.list_models()` lists them, or folders of saved models.
        repository: Directory with one base path per model, `repository/NAME`. By default
            the user's cache directory, where the base path also carries a fingerprint of the
            preset and of the zoo: a newer one of either is exported anew.
        report: Called with a line of text before something takes long.

    Returns:
        Model name -> configuration.

    Raises:
        ServingError: There is no such preset, it cannot be loaded or exported, or two would be
            served under one name.
    """
    import export

    models = {}
    for given in names:
        name = Path(given).resolve().name  # "." has a name too
        if name in models:
            raise invalid_argument(
                f"Two presets would be served as {name}; name each once, and rename the folder of "
                f"one. Received: {' '.join(names)}"
            )
        try:
            if repository is None:
                base_path = _cache_directory() / f"{name}-{_preset_fingerprint(given)}"
            else:
                base_path = repository.absolute() / name
            if not base_path.is_dir() or not scan_versions(base_path):
                report(f"Exporting {given} to {base_path} (only this once) ...")
                _export(given, base_path)
        except (export.ExportError, OSError, ValueError) as error:
            raise invalid_argument(f"Preset {given} cannot be served: {error}") from error
        models[name] = ModelConfig(name, base_path)
    return models


def _export(given: str, base_path: Path) -> None:
    import export
    import zoo

    export.saved_model(zoo.load(given), base_path)


def _cache_directory() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "rnn-zoo" / "served-models"


def _preset_fingerprint(given: str) -> str:
    """Of the zoo's code that exports it, and of `config.json`, which holds all files' sha256."""
    import zoo
    from zoo.presets import CONFIG, preset_folder

    digest = hashlib.sha256((preset_folder(given) / CONFIG).read_bytes())
    # The version alone would not do for somebody who works on the zoo itself.
    for source in sorted(Path(zoo.__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:_FINGERPRINT_LENGTH]
