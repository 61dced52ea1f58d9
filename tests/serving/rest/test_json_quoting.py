"""JSON values quoted in error messages."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.serving.rest.json_quoting import format_error, type_name, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (1e3, "1000.0"),
        (-0.0, "-0.0"),
        (123.25, "123.25"),
        (0.1, "0.1"),
        (-1e-5, "-0.00001"),
        (1.5e-7, "1.5e-7"),
        (1e20, "100000000000000000000.0"),
        (1e21, "1e21"),
        (1.25e39, "1.25e39"),
        (1.7976931348623157e308, "1.7976931348623157e308"),
        ([math.nan, math.inf], "[, ]"),
        ([1.0, 2, None, True], "[1.0, 2, null, true]"),
        ({}, "{}"),
        ({"a": {"b": [1]}}, '{\n    "a": {\n        "b": [1]\n    }\n}'),
        (b"\xff", '"\udcff"'),
    ],
)
def test_values_in_messages(value, text):
    assert value_text(value) == text


def test_values_in_messages_are_cut():
    assert len(value_text(list(range(100_000)))) == 256
    assert len(value_text("é" * 1000).encode()) <= 256


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_read_back_as_themselves(value):
    assert float(value_text(value)) == value


def test_names_of_types():
    values = [None, False, True, 1, 1.5, "a", b"a", [], {}]
    assert [type_name(value) for value in values] == (
        ["Null", "False", "True", "Number", "Number", "String", "String", "Array", "Object"]
    )


def test_format_error():
    error = format_error([1, 2], "Is not object")
    assert (error.http_status, error.message) == (400, "JSON Value: [1, 2] Is not object")
