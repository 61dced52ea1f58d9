"""What RapidJSON as TensorFlow Serving uses it does with odd text."""

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.serving.errors import ServingError
from zoo.serving.rest import json_reader
from zoo.serving.rest.json_reader import parse

# The machine may be busy; what is slow here says nothing.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": 1} trailing', {"a": 1}),
        (b'{"a": 1}{"b": 2}', {"a": 1}),
        (b'{"a": 1} \xff', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 1, "b": 2, "a": 3}', {"a": 1, "b": 2}),
        (b'{"a": {"b": 1, "b": 2}}', {"a": {"b": 1}}),
        (b"[Infinity, -Infinity, Inf, -Inf]", [math.inf, -math.inf, math.inf, -math.inf]),
        (b"[18446744073709551615, -9223372036854775808]", [2**64 - 1, -(2**63)]),
        (b'["\\u00e9\\ud83d\\ude00", "a\\u0000b"]', ["é😀", "a\0b"]),
        (b'["\xff", "\xc3\xa9"]', [b"\xff", "é"]),
        (b'["\xff\\u00e9"]', [b"\xff\xc3\xa9"]),
        (b'{"\xff": {"a": "\xfe"}}', {"\U0010feff": {"a": b"\xfe"}}),
    ],
)
def test_accepted(text, value):
    assert parse(text) == value


@pytest.mark.parametrize("text", [b"1.0", b"1e3", b"18446744073709551616", b"-9223372036854775809"])
def test_fractions_exponents_and_huge_numbers_are_doubles(text):
    assert type(parse(text)) is float


def test_nan():
    assert all(math.isnan(value) for value in parse(b"[NaN, -NaN]"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "The document is empty"),
        (b" ", "The document is empty. at offset: 1"),
        (b"{", "Missing a name for object member. at offset: 1"),
        (b'{"instances"', "Missing a colon after a name of object member. at offset: 12"),
        (
            b'{"instances": [1] "a":2}',
            "Missing a comma or '}' after an object member. at offset: 18",
        ),
        (b"{'instances': [1]}", "Missing a name for object member. at offset: 1"),
        (b'{"instances": ["a]}', "Missing a closing quotation mark in string. at offset: 19"),
        (b'{"instances": ["\\x"]}', "Invalid escape character in string. at offset: 16"),
        (b'{"instances": ["two\nlines"]}', "Invalid escape character in string. at offset: 19"),
        (b'{"instances": [1.]}', "Miss fraction part in number. at offset: 17"),
        (b'{"instances": [1e400]}', "Number too big to be stored in double. at offset: 15"),
        (b"[1,]", "Invalid value. at offset: 3"),
        (b"[nan]", "Invalid value. at offset: 2"),
        (b"[True]", "Invalid value. at offset: 1"),
        (b"[+1]", "Invalid value. at offset: 1"),
        (b"[.5]", "Invalid value. at offset: 1"),
        (b"[01]", "Missing a comma or ']' after an array element. at offset: 2"),
        (b"1" + b"0" * 5000, "Number too big to be stored in double. at offset: 0"),
        ('{"é": x'.encode(), "Invalid value. at offset: 7"),
        (b"\xef\xbb\xbf{", "Missing a name for object member. at offset: 4"),
        (b'{"a": "\0"}', "Missing a closing quotation mark in string. at offset: 7"),
        (b'["\\ud800"]', "The surrogate pair in string is invalid. at offset: 2"),
    ],
)
def test_refused(text, message):
    with pytest.raises(ServingError) as caught:
        parse(text)
    assert caught.value.message == f"JSON Parse error: {message}"
    assert caught.value.http_status == 400


def test_any_depth_is_accepted():
    deep = b"[" * 500_000 + b"]" * 500_000
    assert parse(b'{"nested": ' + deep + b', "a": [1, "]"]}')["a"] == [1, "]"]
    assert list(parse(b'{"nested": ' + b"[" * 900 + b'"\xff"' + b"]" * 900 + b"}")) == ["nested"]
    braces = b'{"a":' * 500_000 + b"1" + b"}" * 500_000
    assert list(parse(braces + b" trailing")) == ["a"]


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 500_000,
        b"[" * 5000 + b"]" * 4999,
        b"[" * 5000 + b"}" * 5000,
        b"[" * 5000 + b'"]' + b"]" * 5000,
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b', "b": nul}',
    ],
    ids=["never closed", "one short", "wrong kind", "open string", "error behind"],
)
def test_deep_text_is_still_checked(text):
    with pytest.raises(ServingError, match="JSON Parse error: "):
        parse(text)


def test_the_deepest_text_that_is_followed(monkeypatch):
    monkeypatch.setattr(json_reader, "_DEEPEST", 2000)
    assert parse(b'{"a":' + b"[" * 1999 + b"]" * 1999 + b', "b": 1}')["b"] == 1
    with pytest.raises(ServingError, match="JSON Parse error: "):
        parse(b'{"a":' + b"[" * 2000 + b"]" * 2000 + b', "b": 1}')


_json_like = st.text(st.sampled_from('{}[]",:\\0123456789.eE+-truefalsnNaInity \u00e9'))


@unhurried
@given(st.binary(max_size=200) | _json_like.map(str.encode))
def test_any_bytes_give_a_value_or_an_error_of_the_client(body):
    message = None
    try:
        parse(body)
    except ServingError as error:
        message = str(error)
    assert message is None or message.startswith("INVALID_ARGUMENT: JSON Parse error: ")
