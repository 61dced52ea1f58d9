"""What a model is made of, as a table: its layers by the names that its code has for them."""

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import keras
import tensorflow as tf
from keras.src.utils.summary_utils import count_params, readable_memory_size, weight_memory_size
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

UNKNOWN = "-"
# Sizes that stand for a dimension that is not fixed: where two runs differ, it is not.
_SIZES = (2, 3)
# What the network calls of a layer: most are called themselves, a decoder only unrolled.
_CALLED = ("call", "unroll")


class Row(NamedTuple):
    """A layer of a model, or a variable of its own.

    Attributes:
        name: The attribute that it is, such as `"encoder"`.
        kind: Its class.
        shape: Of what it gives, the first of several; None is a dimension that is not fixed. None
            if the network does not call it.
        params: Numbers in its weights, without those that an earlier row has.
        trainable: Whether any of them is trained; None if there are none.
        shares: The rows whose weights it uses too.
        layer: The layer; None for a variable.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...] | None
    params: int
    trainable: bool | None
    shares: tuple[str, ...]
    layer: keras.layers.Layer | None


def summary_rows(model: keras.Model) -> list[Row]:
    """The rows of a model of the zoo, in the order in which data goes through.

    Args:
        model: The model, built.

    Returns:
        Rows whose `params` sum to `model.count_params()`.
    """
    layers = dict(named_layers(model))
    shapes = _output_shapes(model, layers)
    owner, rows = {}, []
    for name, layer in layers.items():
        own = [weight for weight in layer.weights if id(weight) not in owner]
        shares = dict.fromkeys(owner[id(w)] for w in layer.weights if id(w) in owner)
        owner.update((id(weight), name) for weight in own)
        trainable = any(weight.trainable for weight in own) if own else None
        kind = type(layer).__name__
        shape = shapes.get(name)
        rows.append(Row(name, kind, shape, count_params(own), trainable, tuple(shares), layer))
    called = list(shapes)
    rows.sort(key=lambda row: called.index(row.name) if row.name in shapes else len(called))
    for weight in model.weights:
        if id(weight) not in owner:
            shape, size = tuple(weight.shape), count_params([weight])
            rows.append(Row(weight.name, "variable", shape, size, weight.trainable, (), None))
    return rows


def named_layers(layer: keras.layers.Layer) -> Iterator[tuple[str, keras.layers.Layer]]:
    """The layers that a layer has, by the attributes that hold them, each once."""
    inside = layer._flatten_layers(include_self=False, recursive=False)
    names = {}
    for attribute, value in vars(layer).items():
        if attribute == "_layers":  # Keras's own list of them
            continue
        if isinstance(value, list | tuple):
            for number, item in enumerate(value):
                names.setdefault(id(item), f"{attribute}[{number}]")
        names.setdefault(id(value), attribute)
    for found in {id(found): found for found in inside}.values():
        yield names.get(id(found), found.name), found


def print_summary(
    model: keras.Model,
    line_length: int | None = None,
    print_fn: Callable[[str], None] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
) -> None:
    """Prints the table; arguments as of `ZooModel.summary`."""
    rows = summary_rows(model)
    table = Table("Layer (type)", "Output shape")
    table.add_column("Params", justify="right")
    if show_trainable:
        table.add_column("Trainable", justify="center")

    def add(row: Row, depth: int) -> None:
        name = Text(f"{'   ' * (depth - 1)}└ " if depth else "").append(row.name, "bold")
        shape = UNKNOWN if row.shape is None else str(row.shape)
        cells = [name.append(f" ({row.kind})", "not bold"), shape, f"{row.params:,}"]
        if show_trainable:
            cells.append({True: "yes", False: "no", None: UNKNOWN}[row.trainable])
        table.add_row(*cells)
        if expand_nested and row.layer is not None:
            for name, layer in named_layers(row.layer):
                weights = layer.weights
                trains = any(weight.trainable for weight in weights) if weights else None
                kind = type(layer).__name__
                add(Row(name, kind, None, count_params(weights), trains, (), layer), depth + 1)

    for row in rows:
        add(row, 0)
    lines = []
    for label, weights in (
        ("Total", model.weights),
        ("Trainable", model.trainable_weights),
        ("Not trainable", model.non_trainable_weights),
    ):
        memory = readable_memory_size(weight_memory_size(weights))
        lines.append(Text(f" {label} params: {count_params(weights):,} ({memory})"))
    for row in rows:
        if row.shares:
            whose = " and ".join(row.shares)
            lines.append(Text(f" {row.name} uses the weights of {whose} too, counted there"))
    # In one piece: a notebook makes an output of each.
    content = Group(Text(f'Model: "{model.name}"', "bold"), table, *lines)
    if print_fn is None:
        Console(width=line_length, highlight=False).print(content)
        return
    console = Console(width=line_length, highlight=False, force_terminal=False, color_system=None)
    with console.capture() as captured:
        console.print(content)
    print_fn(captured.get())


def _output_shapes(
    model: keras.Model, layers: dict[str, keras.layers.Layer]
) -> dict[str, tuple[int | None, ...]]:
    """The shape of what each layer gives, in the order of the calls, from two small runs."""
    runs = []
    for size in _SIZES:
        inputs = {
            # Ones: a length of 1 fits, and so does a place in any list.
            name: tf.ones([size if n is None else n for n in spec.shape], spec.dtype)
            for name, spec in model.network_inputs.items()
        }
        # A model of somebody's own may take no such inputs: it has no shapes to show.
        with _recorded(layers) as shapes, contextlib.suppress(Exception):
            model.call(inputs)
        runs.append(shapes)
    one, other = runs
    return {
        name: tuple(
            a if a == b else None for a, b in zip(shape, other.get(name, shape), strict=True)
        )
        for name, shape in one.items()
    }


@contextlib.contextmanager
def _recorded(layers: dict[str, keras.layers.Layer]) -> Iterator[dict[str, tuple[int, ...]]]:
    """Within the block, what the layers give is looked at; gives the shapes, by name."""
    shapes, wrapped = {}, []

    def watch(name: str, method: Callable) -> Callable:
        def call(*args: object, **kwargs: object) -> object:
            result = method(*args, **kwargs)
            first = keras.tree.flatten(result)[0]
            shapes.setdefault(name, tuple(first.shape))
            return result

        return call

    for name, layer in layers.items():
        for attribute in _CALLED:
            if hasattr(layer, attribute):
                # Past Keras, which would look into what it is given to keep.
                vars(layer)[attribute] = watch(name, getattr(layer, attribute))
                wrapped.append((layer, attribute))
    try:
        yield shapes
    finally:
        for layer, attribute in wrapped:
            del vars(layer)[attribute]
