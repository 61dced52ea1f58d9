"""A model repository for the zoo's presets: exports what is not there yet.

The only place of this package that knows the zoo, and only when a preset is named on the command
line.
"""

import hashlib
import os
from pathlib import Path

from serving.base_path import scan_versions
from serving.config import ModelConfig

_FINGERPRINT_LENGTH = 12


def preset_models(
    names: tuple[str, ...], repository: Path | None, report
) -> dict[str, ModelConfig]:
    """Makes sure that the presets are exported, and returns how to serve them.

    Args:
        names: Of presets, as `zoo.list_models()` lists them, or folders of saved models.
        repository: Directory with one base path per model, `repository/NAME`. By default
            the user's cache directory, where the base path also carries a fingerprint of the
            preset: a newer preset of that name is exported anew.
        report: Called with a line of text before something takes long.

    Returns:
        Model name -> configuration.

    Raises:
        ValueError: `zoo.load` does not know a name.
    """
    models = {}
    for given in names:
        name = Path(given).name
        if repository is None:
            base_path = _cache_directory() / f"{name}-{_preset_fingerprint(given)}"
        else:
            base_path = repository.absolute() / name
        if not base_path.is_dir() or not scan_versions(base_path):
            import export
            import zoo

            report(f"Exporting {given} to {base_path} (only this once) ...")
            export.saved_model(zoo.load(given), base_path)
        models[name] = ModelConfig(name, base_path)
    return models


def _cache_directory() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "rnn-zoo" / "served-models"


def _preset_fingerprint(given: str) -> str:
    """Of the preset's `config.json`, which holds the sha256 of each of its other files."""
    from zoo.presets import PRESETS_DIR

    for folder in (Path(PRESETS_DIR) / given, Path(given)):
        if (folder / "config.json").is_file():
            digest = hashlib.sha256((folder / "config.json").read_bytes())
            return digest.hexdigest()[:_FINGERPRINT_LENGTH]
    return "unknown"
