"""Writes JSON in TensorFlow Serving's layout: its digits, its indentation, its escapes.

TensorFlow Serving writes with RapidJSON's `PrettyWriter`. The layout matters to nobody's parser,
but with it the bytes can be compared one by one. Text may hold bytes that are not UTF-8 (string
tensors do); they travel as surrogate escapes inside `str` and leave as they came.
"""

import base64
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from tensorflow_serving.apis import classification_pb2, regression_pb2

from zoo.serving.errors import invalid_argument

INDENT = "    "
_ESCAPES = {'"': '\\"', "\\": "\\\\"}
_ESCAPES |= {chr(code): f"\\u{code:04X}" for code in range(0x20)}
_ESCAPES |= {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TO_ESCAPE = re.compile(r'[\x00-\x1f"\\]')
# dtype -> the format that always reads back as the same number
_FULL_PRECISION = {"float32": ".9g", "float64": ".17g"}
_WHOLE_NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint32", "uint64")


def quote(text: str | bytes) -> str:
    """Writes a JSON string; bytes that are not UTF-8 become surrogate escapes."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    return '"' + _TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], text) + '"'


def error_body(message: str) -> bytes:
    """Writes the body of an error reply: an object whose only key is `error`."""
    return _encode(f'{{\n{INDENT}"error": {quote(message)}\n}}')


def predictions(outputs: Mapping[str, np.ndarray]) -> bytes:
    """Writes the reply to a request in row format: one entry per row of the batch.

    Args:
        outputs: Name -> array `[batch, ...]`; strings are object arrays of `bytes`. With one
            output an entry is its bare value, with several an object keyed by name.

    Raises:
        ServingError: An output has no batch dimension, the batch sizes differ, a dtype has no
            JSON form, or there is no output at all.
    """
    _require_outputs(outputs)
    batch_size = None
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid_argument(f"Tensor name: {name} has no shape information ")
        if batch_size is not None and batch_size != len(array):
            raise invalid_argument(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} "
                f"expecting: {batch_size}"
            )
        batch_size = len(array)
    if batch_size == 0:
        return _encode(f'{{\n{INDENT}"predictions": []\n}}')
    if len(outputs) == 1:
        ((name, array),) = outputs.items()
        tokens = _tokens(name, array, level=array.ndim + 1)
        rows = ", ".join(_one_line(tokens, array.shape[1:]) for _ in range(batch_size))
    else:
        columns = [
            (f"\n{3 * INDENT}{quote(name)}: ", _tokens(name, array, array.ndim + 2), array.shape)
            for name, array in outputs.items()
        ]
        rows = ",".join(
            f"\n{2 * INDENT}{{"
            + ",".join(key + _one_line(tokens, shape[1:]) for key, tokens, shape in columns)
            + f"\n{2 * INDENT}}}"
            for _ in range(batch_size)
        )
    return _encode(f'{{\n{INDENT}"predictions": [{rows}\n{INDENT}]\n}}')


def outputs_object(outputs: Mapping[str, np.ndarray]) -> bytes:
    """Writes the reply to a request in columnar format: whole tensors, a bare one if alone.

    Args:
        outputs: Name -> array of any shape; strings are object arrays of `bytes`.

    Raises:
        ServingError: A dtype has no JSON form, or there is no output at all.
    """
    _require_outputs(outputs)
    if len(outputs) == 1:
        ((name, array),) = outputs.items()
        text = _many_lines(_tokens(name, array, array.ndim + 1), array.shape, level=1)
    else:
        members = (
            f"\n{2 * INDENT}{quote(name)}: "
            + _many_lines(_tokens(name, array, array.ndim + 2), array.shape, level=2)
            for name, array in outputs.items()
        )
        text = "{" + ",".join(members) + f"\n{INDENT}}}"
    return _encode(f'{{\n{INDENT}"outputs": {text}\n}}')


def classification_results(result: classification_pb2.ClassificationResult) -> bytes:
    """Writes the reply to a classify request: per example, a list of `[label, score]` pairs."""
    rows = []
    for classifications in result.classifications:
        scores = _numbers(np.array([each.score for each in classifications.classes], np.float32))
        pairs = zip(classifications.classes, scores, strict=True)
        rows.append("[" + ", ".join(f"[{quote(each.label)}, {text}]" for each, text in pairs) + "]")
    return _encode(f'{{\n{INDENT}"results": [{", ".join(rows)}\n{INDENT}]\n}}')


def regression_results(result: regression_pb2.RegressionResult) -> bytes:
    """Writes the reply to a regress request: per example, a number."""
    values = _numbers(np.array([each.value for each in result.regressions], np.float32))
    return _encode(f'{{\n{INDENT}"results": [{", ".join(values)}]\n}}')


def _require_outputs(outputs: Mapping[str, np.ndarray]) -> None:
    if not outputs:
        raise invalid_argument("Cannot convert empty tensor map to JSON")


def _tokens(name: str, array: np.ndarray, level: int) -> Iterator[str]:
    """Yields the JSON text of each element of `array`, in C order.

    Args:
        name: The output's name; strings of an output whose name ends in `_bytes` become base64.
        array: The output.
        level: The depth of indentation inside the array, for base64 objects.
    """
    if array.dtype == object:
        if name.endswith("_bytes"):
            pad, end = "\n" + (level + 1) * INDENT, "\n" + level * INDENT
            return (
                f'{{{pad}"b64": "{base64.b64encode(item).decode()}"{end}}}' for item in array.flat
            )
        return map(quote, array.flat)
    if array.dtype.name in _FULL_PRECISION:
        return _numbers(array)
    if array.dtype.name in _WHOLE_NUMBERS:
        return map(str, array.ravel().tolist())
    if array.dtype == bool:
        return ("true" if item else "false" for item in array.flat)
    if array.size == 0:
        return iter(())  # only an element fails, as in TensorFlow Serving
    # Quantised types are structured arrays with one field named after the type.
    kind = array.dtype.names[0] if array.dtype.names else array.dtype.name
    kind = {"float16": "half"}.get(kind, kind)
    raise invalid_argument(f"Failed to write JSON value for tensor type: {kind}")


def _numbers(array: np.ndarray) -> Iterator[str]:
    """Yields floats with six digits where these read back as the same number, else with all."""
    flat = array.ravel()
    full = _FULL_PRECISION[array.dtype.name]
    values = flat.tolist()
    short = [format(value, ".6g") for value in values]
    with np.errstate(over="ignore"):  # FLT_MAX to six digits is past FLT_MAX
        exact = np.array([float(text) for text in short]).astype(array.dtype) == flat
    for text, value, same in zip(short, values, exact.tolist(), strict=True):
        if value != value:
            yield "NaN"
        elif value in (float("inf"), float("-inf")):
            yield "Infinity" if value > 0 else "-Infinity"
        else:
            digits = text if same else format(value, full)
            yield digits if "." in digits or "e" in digits else digits + ".0"


def _one_line(tokens: Iterator[str], shape: Sequence[int]) -> str:
    """Takes as many tokens as `shape` holds and nests them in arrays on one line."""
    if not shape:
        return next(tokens)
    return "[" + ", ".join(_one_line(tokens, shape[1:]) for _ in range(shape[0])) + "]"


def _many_lines(tokens: Iterator[str], shape: Sequence[int], level: int) -> str:
    """Nests tokens as `_one_line` does, with every element on a line of its own."""
    if not shape:
        return next(tokens)
    if shape[0] == 0:
        return "[]"
    pad = "\n" + (level + 1) * INDENT
    items = (pad + _many_lines(tokens, shape[1:], level + 1) for _ in range(shape[0]))
    return "[" + ",".join(items) + f"\n{level * INDENT}]"


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
