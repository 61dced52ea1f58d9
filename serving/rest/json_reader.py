"""Reads a request body the way TensorFlow Serving does: RapidJSON, and what it does with oddities.

TensorFlow Serving parses with RapidJSON in iterative mode, stops after the first value and
accepts NaN and Infinity. python-rapidjson wraps the same parser, but with other habits; this
module makes up for each of them:

* text after the first value is ignored (python-rapidjson refuses it), a byte order mark skipped;
* of two equal keys the first one counts (a Python dict keeps the last);
* any depth of nesting is accepted (python-rapidjson stops at about a thousand levels);
* bytes that are not UTF-8 pass through in strings (python-rapidjson needs valid text);
* RapidJSON 1.1.0, which TensorFlow Serving has, takes a control character for a bad escape.
"""

import codecs
import re
from typing import Any

import rapidjson

from zoo.serving.errors import invalid_argument

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_RAPIDJSON_ERROR = re.compile(r"Parse error at offset (\d+): (.*)", re.DOTALL)
_TRAILING_TEXT = "The document root must not be followed by other values."
# Said of nothing but control characters, since the text is valid -> what RapidJSON 1.1.0 says.
_RENAMED = {"Invalid encoding in string.": "Invalid escape character in string."}
# A lone quotation mark (the last alternative) is a string that never ends.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}"]', re.DOTALL)
_MAX_DEPTH = 500  # no tensor is that deep: TensorFlow's limit is 254 dimensions
_DEEPEST = 10_000_000  # levels that are followed at all, for the memory's sake
# Stands for a byte that is not UTF-8 while the text is parsed: a private character of plane 16.
_RAW_BYTE = 0x10FE00
_RAW_BYTES = re.compile(f"[{chr(_RAW_BYTE + 0x80)}-{chr(_RAW_BYTE + 0xFF)}]")


class _Decoder(rapidjson.Decoder):
    """Objects arrive as lists of pairs, so that the first of two equal keys can win."""

    start_object = list

    def end_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        return members if len(members) == len(pairs) else dict(reversed(pairs))


class _RawDecoder(_Decoder):
    """Decodes text with private characters for bytes: strings that have any become `bytes`."""

    def string(self, text: str) -> str | bytes:
        if not _RAW_BYTES.search(text):
            return text
        escaped = _RAW_BYTES.sub(lambda found: chr(ord(found[0]) - _RAW_BYTE + 0xDC00), text)
        return escaped.encode("utf-8", "surrogateescape")


# Native numbers are RapidJSON's own: int64 and uint64, everything larger is a double.
_NUMBERS = rapidjson.NM_NATIVE | rapidjson.NM_NAN
_decode, _decode_raw = _Decoder(number_mode=_NUMBERS), _RawDecoder(number_mode=_NUMBERS)


def parse(body: bytes) -> Any:
    """Parses a request body.

    Args:
        body: The bytes of the request, inflated if they were compressed.

    Returns:
        Dicts, lists, `str`, `int`, `float`, `bool` and `None`; a string that is not UTF-8 comes
        as `bytes`.

    Raises:
        ServingError: INVALID_ARGUMENT with RapidJSON's message and its offset in bytes.

    Example:
        >>> parse(b'{"instances": [1.0, NaN], "instances": 2} trailing')
        {'instances': [1.0, nan]}
    """
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    start = len(_BYTE_ORDER_MARK) if body.startswith(_BYTE_ORDER_MARK) else 0
    try:
        return _parse_text(body[start:].decode("utf-8"), start, _decode)
    except UnicodeDecodeError:
        text = body[start:].decode("utf-8", "private-characters")
        return _parse_text(text, start, _decode_raw)


def _parse_text(text: str, start: int, decode: _Decoder) -> Any:
    """Parses `text`, which stands `start` bytes into the body."""
    try:
        return decode(text)
    except RecursionError:
        return _parse_text(_cut_deep_nesting(text), start, decode)
    except rapidjson.JSONDecodeError as error:
        found = _RAPIDJSON_ERROR.fullmatch(str(error))
    offset, message = int(found[1]), found[2]
    if message == _TRAILING_TEXT:
        return decode(text.encode("utf-8")[:offset])
    message = _RENAMED.get(message, message)
    raise invalid_argument(f"JSON Parse error: {message} at offset: {start + offset}")


def _cut_deep_nesting(text: str) -> str:
    """Returns the first value of `text` with everything below `_MAX_DEPTH` levels left out.

    One pass, no recursion. What is left out can only stand under a key that nobody reads, or be
    an error; so only its strings and the matching of its brackets are checked. Text after a
    mismatch at depth is dropped, which leaves brackets open for the parser to complain about.
    """
    kept: list[str] = []
    open_brackets: list[str] = []
    start = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        token = match[0]
        if token in ("[", "{"):
            open_brackets.append(token)
            if len(open_brackets) > _DEEPEST:
                break
            if len(open_brackets) == _MAX_DEPTH:
                kept.append(text[start : match.end()])
        elif token in ("]", "}"):
            if not open_brackets or open_brackets[-1] + token not in ("[]", "{}"):
                break
            if len(open_brackets) == _MAX_DEPTH:
                start = match.start()
            open_brackets.pop()
            if not open_brackets:
                return "".join(kept) + text[start : match.end()]
        elif token == '"':
            break
    return "".join(kept) + (text[start:] if len(open_brackets) < _MAX_DEPTH else "")


def _as_private_characters(error: UnicodeError) -> tuple[str, int]:
    raw = error.object[error.start : error.end]
    return "".join(chr(_RAW_BYTE + byte) for byte in raw), error.end


codecs.register_error("private-characters", _as_private_characters)
