"""Texts with spans, as annotation tools write them: `(start, end, type)` in characters."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from zoo.data.text_files import read_bytes, split_lines

Span = tuple[int, int, str]

# Where spaCy, Prodigy, doccano and Label Studio's JSON_MIN have the spans of a text.
SPAN_KEYS = ("spans", "entities", "label", "labels")
# What one span is called in them.
STARTS, ENDS, TYPES = ("start", "start_offset"), ("end", "end_offset"), ("type", "label", "labels")
# Label Studio leaves out the spans of a text that has none, and says who looked at it.
SEEN_KEYS = ("annotator", "annotation_id")
# Types of Label Studio's results that mark text in other ways than by its characters.
OTHER_MARKS = ("hypertextlabels", "paragraphlabels", "timeserieslabels")


class Spans(NamedTuple):
    """Parallel lists: `spans[i]` are the entities of `texts[i]`, each `(start, end, type)`.

    Example:
        >>> texts, spans = zoo.data.read_spans("people.jsonl")
    """

    texts: list[str]
    spans: list[list[Span]]

    @property
    def types(self) -> list[str]:
        """The types of the spans, sorted: what `zoo.load(name, types=...)` takes."""
        return sorted({kind for row in self.spans for *_, kind in row})


def read_spans(path: str | Path, text_key: str = "text", span_key: str | None = None) -> Spans:
    """Reads texts with spans: JSON lines, or one JSON file with a list.

    An entry is one text, in any of these forms. spaCy's and Prodigy's::

        {"text": "Ann ran.", "entities": [[0, 3, "PER"]]}
        {"text": "Ann ran.", "spans": [{"start": 0, "end": 3, "label": "PER"}]}
        ["Ann ran.", {"entities": [[0, 3, "PER"]]}]

    doccano's::

        {"text": "Ann ran.", "label": [[0, 3, "PER"]]}
        {"text": "Ann ran.", "entities": [{"start_offset": 0, "end_offset": 3, "label": "PER"}]}

    Label Studio's, exported as JSON-MIN or JSON::

        {"text": "Ann ran.", "label": [{"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}]}
        {"data": {"text": "Ann ran."}, "annotations": [{"result": [{"type": "labels",
            "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["PER"]}}]}]}

    Offsets count characters (Unicode code points), the end exclusive. Where an entry says what a
    span's text is, the two must agree; offsets in units of UTF-16, as of older versions of Label
    Studio, are told by that and converted. Texts that nobody accepted (Prodigy's `"answer"`,
    cancelled or missing annotations of Label Studio) are left out, with a warning that counts them;
    of several annotations of one text the first that was not cancelled is taken. Label Studio's
    predictions are not read.

    Whether the spans fit a model's tokens is its own matter: `fit` tells those that do not.

    Args:
        path: UTF-8, gzipped or not, with or without a byte order mark.
        text_key: Where an entry has its text.
        span_key: Where it has its spans; None: the one of `"spans"`, `"entities"`, `"label"` and
            `"labels"` that it has. In Label Studio it is the `name` of `<Labels>`.

    Returns:
        `Spans(texts, spans)` in the file's order.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged, not UTF-8, no JSON or without any text, or an entry has
            another form; the message says which, by its line or number.

    Example:
        >>> data = zoo.data.read_spans("people.jsonl")
        >>> model = zoo.load("ner_open", types=data.types)
        >>> model.fit(data.texts, data.spans)
    """
    texts, spans, left_out = [], [], []
    for place, entry in _entries(path):
        try:
            text, found = _read_entry(entry, text_key, span_key)
        except ValueError as error:
            raise ValueError(f"{path}, {place}: {error}") from error
        if found is None:
            left_out.append(place)
            continue
        texts.append(text)
        spans.append(found)
    if not texts:
        raise ValueError(
            f"{path} must have texts with spans. Received: none, and {len(left_out)} that nobody "
            "accepted"
        )
    if left_out:
        warnings.warn(
            f"{path}: {len(left_out)} of {len(left_out) + len(texts)} texts are left out, because "
            f"their annotation is missing, cancelled or not accepted: {', '.join(left_out[:5])}"
            + (", ..." if len(left_out) > 5 else ""),
            stacklevel=2,
        )
    return Spans(texts, spans)


def as_span(value: Any) -> Span:
    """One span in any form that users have it in.

    Args:
        value: `(start, end, type)`, a dict with `start`, `end` and `type` or `label`, or what `tag`
            returns.

    Returns:
        `(start, end, type)`, not checked against a text.

    Raises:
        ValueError: It is none of these; the message shows it.
    """
    if isinstance(value, dict):
        parts = [_first(value, names) for names in (STARTS, ENDS, TYPES)]
    elif all(hasattr(value, name) for name in ("start", "end", "type")):
        parts = [value.start, value.end, value.type]
    else:
        parts = list(value) if isinstance(value, list | tuple) else []
    if len(parts) == 3 and isinstance(parts[2], list | tuple) and len(parts[2]) == 1:
        parts[2] = parts[2][0]  # Label Studio has a list, for spans of several types
    whole = len(parts) == 3 and all(_is_integer(part) for part in parts[:2])
    if not whole or not isinstance(parts[2], str) or not parts[2]:
        raise ValueError(
            "A span must be (start, end, type), two integers and a string, or a dict with "
            f'"start", "end" and "label". Received: {value!r}'
        )
    return int(parts[0]), int(parts[1]), str(parts[2])


def _entries(path: str | Path) -> Iterator[tuple[str, Any]]:
    """What a file holds, each with its place, as in "line 3"."""
    read = split_lines(read_bytes(path), path)
    lines = [(f"line {n}", line) for n, line in enumerate(read, 1) if line.strip()]
    if not lines:
        return
    first = _parsed(lines[0][1])
    # A line that is whole by itself begins JSON lines, unless it is all there is and a list.
    if isinstance(first, dict) or _is_pair(first) or (first is not None and len(lines) > 1):
        for place, line in lines:
            yield place, _parsed(line, f"{path}, {place}")
    else:
        whole = _parsed("\n".join(read), str(path))
        whole = whole if isinstance(whole, list) else [whole]
        yield from ((f"entry {n}", entry) for n, entry in enumerate(whole, 1))


def _parsed(text: str, where: str | None = None) -> Any:
    """What JSON says; without `where`, None if it is none."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if where is None:
            return None
        raise ValueError(
            f"{where} must be JSON: one entry a line, or one list of entries ({error}). "
            f"Received: {text[max(error.pos - 40, 0) :][:80]!r}"
        ) from error


def _is_pair(entry: Any) -> bool:
    """Whether this is spaCy's `[text, {"entities": [...]}]`."""
    return (
        isinstance(entry, list)
        and len(entry) == 2
        and isinstance(entry[0], str)
        and isinstance(entry[1], dict)
    )


def _read_entry(entry: Any, text_key: str, span_key: str | None) -> tuple[str, list[Span] | None]:
    """Text and spans of an entry; None in place of spans that nobody accepted."""
    if _is_pair(entry):
        entry = {text_key: entry[0], **entry[1]}
    if not isinstance(entry, dict):
        raise ValueError(f"An entry must be a JSON object. Received: {str(entry)[:80]}")
    of_label_studio = isinstance(entry.get("data"), dict)
    data = entry["data"] if of_label_studio else entry
    text = data.get(text_key)
    if not isinstance(text, str):
        raise ValueError(
            f"An entry must have a string {text_key!r}; for another key give `text_key`. "
            f"Received: the keys {', '.join(map(repr, data))}"
        )
    if of_label_studio:
        found = _label_studio_results(entry, span_key)
    elif entry.get("answer", "accept") != "accept":
        found = None
    else:
        found = _listed(entry, span_key)
    if found is None:
        return text, None
    return text, [_checked(text, span) for span in found]


def _listed(entry: dict, span_key: str | None) -> list:
    keys = [key for key in (SPAN_KEYS if span_key is None else [span_key]) if key in entry]
    if not keys and any(key in entry for key in SEEN_KEYS):
        return []
    if len(keys) != 1 or not isinstance(entry[keys[0]], list):
        wanted = " or ".join(map(repr, SPAN_KEYS)) if span_key is None else repr(span_key)
        raise ValueError(
            f"An entry must have one list of spans, {wanted}; for another key give `span_key`. "
            f"Received: the keys {', '.join(map(repr, entry))}"
        )
    return entry[keys[0]]


def _label_studio_results(entry: dict, span_key: str | None) -> list[dict] | None:
    done = [of for of in entry.get("annotations", []) if not of.get("was_cancelled")]
    if not done:
        return None
    found = []
    for result in done[0].get("result", []):
        if result.get("type") in OTHER_MARKS:
            raise ValueError(
                "Spans must be of plain text, Label Studio's type 'labels'. "
                f"Received: type {result['type']!r}"
            )
        if result.get("type") == "labels" and span_key in (None, result.get("from_name")):
            found.append(result["value"])
    return found


def _checked(text: str, value: Any) -> Span:
    """A span whose offsets give the text that it says it has, if it says so."""
    start, end, kind = as_span(value)
    said = value.get("text") if isinstance(value, dict) else None
    if not isinstance(said, str) or text[start:end] == said:
        return start, end, kind
    # Of a half character at an edge nothing is left.
    before, inside = (
        text.encode("utf-16-le")[2 * a : 2 * b].decode("utf-16-le", "ignore")
        for a, b in ((0, max(start, 0)), (max(start, 0), max(end, 0)))
    )
    if inside == said:
        return len(before), len(before) + len(inside), kind
    raise ValueError(
        f"The text of a span must be what its offsets say. Received: {kind} from {start} to {end}, "
        f"which is {text[start:end]!r}, with the text {said!r}"
    )


def _first(of: dict, names: tuple[str, ...]) -> Any:
    return next((of[name] for name in names if name in of), None)


def _is_integer(value: Any) -> bool:
    # NumPy's integers are none of Python's, but are an index.
    return hasattr(value, "__index__") and not isinstance(value, bool)
