"""`TensorProto`s as TensorFlow reads them: values in either field, too few, too many, none."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2, types_pb2

from zoo.serving.errors import ServingError
from zoo.serving.inference.tensor_proto import read_tensor, write_tensor


def proto(dtype, shape, **fields) -> tensor_pb2.TensorProto:
    message = tensor_pb2.TensorProto(dtype=dtype, **fields)
    for size in shape:
        message.tensor_shape.dim.add(size=size)
    return message


FLOAT, HALF, STRING = types_pb2.DT_FLOAT, types_pb2.DT_HALF, types_pb2.DT_STRING

# Each is checked against TensorFlow's own reader.
WELL_FORMED = {
    "values": proto(FLOAT, [3], float_val=[1, 2, 3]),
    "one value repeated": proto(FLOAT, [2, 2], float_val=[7]),
    "last value repeated": proto(FLOAT, [4], float_val=[1, 2]),
    "no values are zeros": proto(FLOAT, [2]),
    "surplus values are dropped": proto(FLOAT, [2], float_val=[1, 2, 3]),
    "content": proto(FLOAT, [2], tensor_content=np.float32([1, 2]).tobytes()),
    "scalar": proto(FLOAT, [], float_val=[5]),
    "empty": proto(FLOAT, [0, 3], float_val=[5], tensor_content=b"ignored"),
    "wraps around": proto(types_pb2.DT_UINT8, [2], int_val=[300, -1]),
    "int16": proto(types_pb2.DT_INT16, [1], int_val=[-5]),
    "uint64": proto(types_pb2.DT_UINT64, [1], uint64_val=[2**64 - 1]),
    "bool": proto(types_pb2.DT_BOOL, [2], bool_val=[True, False]),
    "half": proto(HALF, [2], half_val=[0x3C00, 0xC000]),
    "bfloat16": proto(types_pb2.DT_BFLOAT16, [1], half_val=[0x3F80]),
    "complex": proto(types_pb2.DT_COMPLEX64, [2], scomplex_val=[1, 2, 3, 4]),
    "strings": proto(STRING, [3], string_val=[b"\xff\0", b"b"]),
    "no strings": proto(STRING, [2]),
    "strings as content": proto(STRING, [2], tensor_content=b"\x01\x02axy"),
}


@pytest.mark.parametrize("message", WELL_FORMED.values(), ids=WELL_FORMED)
def test_read_as_tensorflow_reads(message):
    array = read_tensor("x", message)
    expected = tf.io.parse_tensor(message.SerializeToString(), message.dtype).numpy()
    np.testing.assert_array_equal(array, expected, strict=True)


MALFORMED = {
    "content too short": proto(FLOAT, [2], tensor_content=b"123"),
    "content too long": proto(FLOAT, [1], tensor_content=b"12345678"),
    "strings cut short": proto(STRING, [2], tensor_content=b"\x01\x09axy"),
    "negative size": proto(FLOAT, [-1], float_val=[1]),
    "huge": proto(FLOAT, [2**40], float_val=[1]),
    "huge product": proto(FLOAT, [2**62, 2**62, 4]),
    "no type": proto(types_pb2.DT_INVALID, [1], float_val=[1]),
    "unknown type": proto(999, [1]),
    "resource": proto(types_pb2.DT_RESOURCE, [1]),
    "too many dimensions": proto(FLOAT, [1] * 300, float_val=[1]),
}
UNKNOWN_RANK = proto(FLOAT, [], float_val=[1])
UNKNOWN_RANK.tensor_shape.unknown_rank = True


@pytest.mark.parametrize(
    "message", [*MALFORMED.values(), UNKNOWN_RANK], ids=[*MALFORMED, "unknown rank"]
)
def test_what_is_no_tensor(message):
    with pytest.raises(ServingError) as caught:
        read_tensor("x", message)
    assert str(caught.value) == "INVALID_ARGUMENT: tensor parsing error: x"


_numbers = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=4)


@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.integers(-1, 40),
    st.lists(st.integers(-2, 3), max_size=3),
    st.fixed_dictionaries(
        {},
        optional={
            "tensor_content": st.binary(max_size=9),
            "float_val": st.lists(st.floats(width=32), max_size=4),
            "int_val": _numbers,
            "half_val": _numbers,
            "string_val": st.lists(st.binary(max_size=3), max_size=3),
            "scomplex_val": st.lists(st.floats(width=32), max_size=5),
        },
    ),
)
def test_any_message_gives_an_array_or_an_error_of_the_client(dtype, shape, fields):
    message = proto(dtype, shape, **fields)
    try:
        array = read_tensor("x", message)
    except ServingError as error:
        refused = error.http_status
    else:
        refused = None
        assert array.shape == tuple(shape)
        assert tf.as_dtype(array.dtype if array.dtype != object else tf.string) == dtype
    assert refused in (None, 400)


@pytest.mark.parametrize("name", [name for name in WELL_FORMED if name != "uint64"])
def test_written_as_typed_values(name):
    array = read_tensor("x", WELL_FORMED[name])
    written = write_tensor(array)
    assert not written.tensor_content
    np.testing.assert_array_equal(read_tensor("x", written), array, strict=True)


def test_a_type_without_a_field_of_its_own():
    array = np.array([1, 2], tf.as_dtype("float8_e5m2").as_numpy_dtype)
    np.testing.assert_array_equal(read_tensor("x", write_tensor(array)), array, strict=True)
