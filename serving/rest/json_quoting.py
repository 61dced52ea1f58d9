"""JSON values as they are quoted in error messages: what was received, cut to 256 bytes."""

import math
from collections.abc import Iterator
from typing import Any

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.rest.json_writer import INDENT, quote

_MESSAGE_LIMIT = 256


def format_error(value: Any, text: str) -> ServingError:
    """The error that quotes a JSON value and says what is wrong with it."""
    return invalid_argument(f"JSON Value: {value_text(value)} {text}")


def value_text(value: Any) -> str:
    """Prints a parsed JSON value in RapidJSON's pretty layout with one-line arrays."""
    text, length = [], 0
    for piece in _pieces(value, level=0):
        text.append(piece)
        length += len(piece)
        if length > _MESSAGE_LIMIT:
            break
    joined = "".join(text).encode("utf-8", "surrogateescape")[:_MESSAGE_LIMIT]
    return joined.decode("utf-8", "ignore" if len(joined) == _MESSAGE_LIMIT else "surrogateescape")


def type_name(value: Any) -> str:
    """The JSON type of a parsed value as error messages name it."""
    if value is None or isinstance(value, bool):
        return {None: "Null", False: "False", True: "True"}[value]
    if isinstance(value, (int, float)):
        return "Number"
    return {dict: "Object", list: "Array"}.get(type(value), "String")


def _pieces(value: Any, level: int) -> Iterator[str]:
    """Yields `value` piece by piece, so that a large one need not be printed whole."""
    if isinstance(value, dict):
        pad = "\n" + (level + 1) * INDENT
        for index, (key, member) in enumerate(value.items()):
            yield f"{',' if index else '{'}{pad}{quote(key)}: "
            yield from _pieces(member, level + 1)
        yield f"\n{level * INDENT}}}" if value else "{}"
    elif isinstance(value, list):
        yield "["
        for index, member in enumerate(value):
            if index:
                yield ", "
            yield from _pieces(member, level + 1)
        yield "]"
    elif isinstance(value, (str, bytes)):
        yield quote(value)
    elif value is None or isinstance(value, bool):
        yield {None: "null", False: "false", True: "true"}[value]
    elif isinstance(value, float):
        yield _double_text(value)
    else:
        yield str(value)


def _double_text(value: float) -> str:
    """The shortest digits that read back as `value`, laid out as RapidJSON does.

    Example:
        >>> [_double_text(value) for value in (1e3, 1e20, 1e21, 1.5e-7, -2.5)]
        ['1000.0', '100000000000000000000.0', '1e21', '1.5e-7', '-2.5']
    """
    if not math.isfinite(value):
        return ""  # RapidJSON's writer has no text for NaN and the infinities
    sign = "-" if math.copysign(1, value) < 0 else ""
    if value == 0:
        return sign + "0.0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # value = 0.digits * 10 ** point
    point = int(exponent or 0) + len(digits) - len(fraction)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0") + ".0"
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1}"
