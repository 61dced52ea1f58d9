"""EfficientNet-Lite in NumPy, written from the paper, one loop a kernel's place; slow and plain."""

import numpy as np

# Of EfficientNet-B0's table: blocks, size of the kernel, stride, expansion, channels.
TABLE = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]


def blocks():
    """Size, stride, expansion, channels in and out of each block of Lite0."""
    channels = 32
    for repeats, size, stride, expansion, out in TABLE:
        for repeat in range(repeats):
            yield size, stride if repeat == 0 else 1, expansion, channels, out
            channels = out


def random_arrays(random):
    """A state dict with the names and the layout of PyTorch's Lite0."""
    arrays = {}

    def layer(convolution, normalization, out, into, size):
        scale = (2 / (into * size * size)) ** 0.5
        arrays[f"{convolution}.weight"] = random.normal(0, scale, [out, into, size, size])
        arrays[f"{normalization}.weight"] = random.uniform(0.8, 1.2, out)
        arrays[f"{normalization}.bias"] = random.normal(0, 0.1, out)
        arrays[f"{normalization}.running_mean"] = random.normal(0, 0.1, out)
        arrays[f"{normalization}.running_var"] = random.uniform(0.5, 1.5, out)

    layer("_conv_stem", "_bn0", 32, 3, 3)
    for place, (size, _, expansion, into, out) in enumerate(blocks()):
        name = f"_blocks.{place}"
        hidden = expansion * into
        if expansion > 1:
            layer(f"{name}._expand_conv", f"{name}._bn0", hidden, into, 1)
        layer(f"{name}._depthwise_conv", f"{name}._bn1", hidden, 1, size)
        layer(f"{name}._project_conv", f"{name}._bn2", out, hidden, 1)
    layer("_conv_head", "_bn1", 1280, 320, 1)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def convolved(inputs, kernel, stride):
    """`[B, H, W, C]` by `[out, C or 1, size, size]`, padded as TensorFlow's SAME does."""
    size = kernel.shape[-1]
    outs = [-(-length // stride) for length in inputs.shape[1:3]]
    pads = [
        max((out - 1) * stride + size - length, 0)
        for out, length in zip(outs, inputs.shape[1:3], strict=True)
    ]
    padding = [(0, 0), *((pad // 2, pad - pad // 2) for pad in pads), (0, 0)]
    inputs = np.pad(inputs, padding)
    total = 0
    for row in range(size):
        for column in range(size):
            rows = slice(row, row + (outs[0] - 1) * stride + 1, stride)
            columns = slice(column, column + (outs[1] - 1) * stride + 1, stride)
            part, weights = inputs[:, rows, columns], kernel[:, :, row, column]
            depthwise = kernel.shape[1] == 1 and kernel.shape[0] == inputs.shape[-1]
            total = total + (part * weights[:, 0] if depthwise else part @ weights.T)
    return total


def encoded(arrays, pixels):
    """The grid of Lite0, in float64."""

    def layer(inputs, convolution, normalization, stride=1, rectified=True):
        outputs = convolved(inputs, arrays[f"{convolution}.weight"].astype(np.float64), stride)
        scale, shift, mean, variance = (
            arrays[f"{normalization}.{name}"]
            for name in ("weight", "bias", "running_mean", "running_var")
        )
        outputs = (outputs - mean) / np.sqrt(variance + 1e-3) * scale + shift
        return np.clip(outputs, 0, 6) if rectified else outputs

    hidden = layer((pixels.astype(np.float64) - 127) / 128, "_conv_stem", "_bn0", 2)
    for place, (_, stride, expansion, into, out) in enumerate(blocks()):
        name, inputs = f"_blocks.{place}", hidden
        if expansion > 1:
            hidden = layer(hidden, f"{name}._expand_conv", f"{name}._bn0")
        hidden = layer(hidden, f"{name}._depthwise_conv", f"{name}._bn1", stride)
        hidden = layer(hidden, f"{name}._project_conv", f"{name}._bn2", rectified=False)
        if stride == 1 and into == out:
            hidden = hidden + inputs
    return layer(hidden, "_conv_head", "_bn1")
