"""GoogLeNet: parity with torchvision layer by layer, with NumPy, and the forms of its weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.layers.vision.reference import convolved
from zoo.layers.vision import GoogLeNet
from zoo.layers.vision.googlenet import MODULES, InceptionModule, max_pooled
from zoo.weights.state_dicts import read_state_dict


def made(style):
    """With random weights, as large as the activations need."""
    keras.utils.set_random_seed(0)
    encoder = GoogLeNet(style)
    encoder.build()
    for weight in encoder.weights:
        if weight.name == "bias":
            weight.assign(np.random.default_rng(weight.shape[0]).normal(0, 0.1, weight.shape))
    return encoder


@pytest.fixture(scope="module")
def encoder():
    return made("paper")


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).integers(0, 256, [2, 96, 64, 3]).astype(np.uint8)


@pytest.mark.parametrize(
    ("style", "total"),
    # Published: 6,998,552 of the paper's release; 6,624,904 of torchvision, where a normalization
    # has two numbers for each channel. Both with a classifier of 1,025,000.
    [("paper", 6_998_552), ("torchvision", 6_624_904)],
)
def test_the_networks_have_the_published_sizes(style, total):
    encoder = GoogLeNet(style)
    encoder.build()
    biases = sum(int(np.prod(w.shape)) for w in encoder.weights if w.name == "bias")
    more = biases if style == "torchvision" else 0
    assert encoder.count_params() + more + 1_025_000 == total
    assert len(encoder.blocks) == 9


@pytest.mark.parametrize("style", ["paper", "torchvision"])
def test_a_photograph_gives_a_grid_of_7_by_7(style):
    encoder = GoogLeNet(style)
    outputs = encoder(np.zeros([1, encoder.image_size, encoder.image_size, 3], np.uint8))
    assert outputs.shape == (1, encoder.grid_size, encoder.grid_size, encoder.channels)


def test_a_module_is_four_branches_side_by_side():
    random = np.random.default_rng(0)
    module = InceptionModule((4, 3, 5, 2, 6, 7), five=5, pool=0)
    inputs = random.uniform(0, 1, [2, 6, 5, 8]).astype(np.float32)
    module(inputs)
    for weight in module.weights:
        weight.assign(random.normal(size=weight.shape))

    def run(layer, values):
        kernel = layer.kernel.numpy().transpose(3, 2, 0, 1)
        return np.maximum(convolved(values, kernel, 1) + layer.bias.numpy(), 0)

    one, reduce_three, three, reduce_five, five, project = module.convolutions
    around = np.pad(inputs, [(0, 0), (1, 1), (1, 1), (0, 0)])
    largest = np.max([around[:, r : r + 6, c : c + 5] for r in range(3) for c in range(3)], axis=0)
    expected = [
        run(one, inputs),
        run(three, run(reduce_three, inputs)),
        run(five, run(reduce_five, inputs)),
        run(project, largest),
    ]
    np.testing.assert_allclose(module(inputs), np.concatenate(expected, -1), rtol=1e-4, atol=1e-4)
    assert module.channels == 22


@pytest.mark.parametrize(
    ("length", "size", "outs"), [(112, 3, 56), (7, 3, 3), (14, 2, 7), (1, 3, 1)]
)
def test_the_last_window_of_a_pooling_may_reach_over_the_edge(length, size, outs):
    inputs = np.arange(float(length)).reshape(1, length, 1, 1)
    pooled = max_pooled(tf.constant(inputs), size)[0, :, 0, 0].numpy()
    assert list(pooled) == [min(2 * out + size, length) - 1 for out in range(outs)]


@pytest.mark.parametrize("block", [0, 2, 9])
def test_a_first_part_and_the_rest_are_the_whole(encoder, pixels, block):
    activations = encoder.call_until(pixels, block)
    np.testing.assert_allclose(encoder.call_from(activations, block), encoder(pixels), rtol=1e-4)


def test_a_batch_may_be_empty_in_a_graph(encoder):
    run = tf.function(encoder, [tf.TensorSpec([None, 64, 64, 3], tf.uint8)], autograph=False)
    assert run(np.zeros([0, 64, 64, 3], np.uint8)).shape == (0, 2, 2, 1024)


def test_the_last_modules_are_fine_tuned_alone(encoder):
    encoder.train_from(8)
    assert len(encoder.trainable_weights) == 12
    encoder.train_from(None)
    assert not encoder.trainable_weights


def named_weights(encoder, of_keras):
    """The weights under the names of PyTorch or of the paper's release."""
    arrays = {}
    for layer, (torch_name, paper_name) in encoder._names():
        kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
        if of_keras:
            arrays |= {f"{paper_name}.kernel": kernel, f"{paper_name}.bias": bias}
        else:
            arrays[f"{torch_name}.weight"] = kernel.transpose(3, 2, 0, 1)
            arrays[f"{torch_name}.bias"] = bias
    return arrays


@pytest.mark.parametrize("of_keras", [False, True])
def test_weights_are_taken_under_either_name(encoder, pixels, of_keras):
    other = GoogLeNet("paper")
    other.load_state_dict(named_weights(encoder, of_keras))
    np.testing.assert_array_equal(other(pixels), encoder(pixels))


def test_weights_are_taken_from_a_file_of_keras(encoder, pixels, tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "googlenet.h5"
    with h5py.File(path, "w") as file:
        layers = file.create_group("model_weights")
        named = named_weights(encoder, of_keras=True)
        names = sorted({name.rpartition(".")[0] for name in named})
        layers.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            kinds = [f"{name}/{kind}:0" for kind in ("kernel", "bias")]
            layers.require_group(name).attrs["weight_names"] = [kind.encode() for kind in kinds]
            for kind in kinds:
                key = f"{name}.{kind.rpartition('/')[2][:-2]}"
                layers[name].create_dataset(kind, data=named[key])
    other = GoogLeNet("paper")
    other.load_state_dict(read_state_dict(path))
    np.testing.assert_array_equal(other(pixels), encoder(pixels))


def test_keras_writes_files_of_this_form(tmp_path):
    model = keras.Sequential([keras.Input([4, 4, 3]), keras.layers.Conv2D(2, 3, name="conv1")])
    model.save(tmp_path / "model.h5")
    arrays = read_state_dict(tmp_path / "model.h5")
    assert list(arrays) == ["conv1.kernel", "conv1.bias"]
    np.testing.assert_array_equal(arrays["conv1.kernel"], model.layers[0].kernel)


def test_a_layer_is_made_again_from_its_config(encoder, pixels):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    again.set_weights(encoder.get_weights())
    np.testing.assert_array_equal(again(pixels), encoder(pixels))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda e: GoogLeNet("v3"), "`style` must be one of paper, torchvision. Received"),
        (
            lambda e: e.load_state_dict({"a": 0}),
            "neither conv1.conv.weight, conv1.weight nor conv1/7",
        ),
        (
            lambda e: GoogLeNet("torchvision").load_state_dict(named_weights(e, True)),
            r"five has a kernel of shape \(3, 3, 16, 32\). Received: \(5, 5, 16, 32\)",
        ),
        (lambda e: e(np.zeros([1, 64, 64])), r"`pixels` must have shape \[batch, height"),
    ],
)
def test_bad_input_is_told(encoder, wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong(encoder)


def test_every_layer_is_that_of_torchvision(tmp_path):
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    network = models.GoogLeNet(aux_logits=False, init_weights=False, transform_input=False).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.data.uniform_(0.8, 1.6)
            module.bias.data.normal_(0, 0.2)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.3, 1.5)
    torch.save(network.state_dict(), tmp_path / "googlenet.pth")
    encoder = GoogLeNet("torchvision")
    encoder.load_state_dict(read_state_dict(tmp_path / "googlenet.pth"))

    entered, pixels = {}, np.random.default_rng(2).integers(0, 256, [2, 224, 224, 3])
    for name in MODULES:
        module = getattr(network, f"inception{name}")
        module.register_forward_hook(lambda _, i, o, n=name: entered.update({n: i[0], "end": o}))
    with torch.no_grad():
        network(torch.tensor(pixels.transpose(0, 3, 1, 2)).float() / 127.5 - 1)
    for block, name in enumerate([*MODULES, "end"]):
        expected = entered[name].numpy().transpose(0, 2, 3, 1)
        assert expected.std() > 0.01
        found = encoder.call_until(pixels, block).numpy()
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * expected.std())
