"""The gRPC API, through the stubs of tensorflow-serving-api and through ovmsclient."""

import time

import grpc
import numpy as np
import ovmsclient
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from zoo.serving.grpc_api.services import Services
from zoo.serving.lifecycle.config import single_model
from zoo.serving.options import Options
from zoo.serving.server import Server

FAILED, INVALID, NOT_FOUND = (
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
)


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield channel


@pytest.fixture(scope="module")
def stub(channel):
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def request(model, signature="", *, version=None, label=None, outputs=(), **inputs):
    message = predict_pb2.PredictRequest()
    message.model_spec.name = model
    message.model_spec.signature_name = signature
    if version is not None:
        message.model_spec.version.value = version
    if label is not None:
        message.model_spec.version_label = label
    message.output_filter.extend(outputs)
    for name, value in inputs.items():
        message.inputs[name].CopyFrom(
            value if isinstance(value, tensor_pb2.TensorProto) else tf.make_tensor_proto(value)
        )
    return message


def test_predict(stub):
    response = stub.Predict(request("half", x=np.array([2.0], np.float32)))
    assert list(response.outputs["y"].float_val) == [3.0]
    assert not response.outputs["y"].tensor_content
    assert response.model_spec.name == "half"
    assert response.model_spec.version.value == 123
    assert response.model_spec.signature_name == "serving_default"


def test_predict_takes_values_in_either_field(stub):
    content = tf.make_tensor_proto(np.array([[2.0, 4.0]], np.float32))
    assert content.tensor_content
    assert list(stub.Predict(request("half", x=content)).outputs["y"].float_val) == [3.0, 4.0]
    repeated = tensor_pb2.TensorProto(dtype=tf.float32.as_datatype_enum, float_val=[2.0])
    repeated.tensor_shape.dim.add(size=3)
    assert list(stub.Predict(request("half", x=repeated)).outputs["y"].float_val) == [3.0] * 3


@pytest.mark.parametrize(
    ("model", "dtype"),
    [
        ("i64", np.int64),
        ("i32", np.int32),
        ("u8", np.uint8),
        ("u16", np.uint16),
        ("u32", np.uint32),
        ("u64", np.uint64),
        ("b", bool),
        ("f16", np.float16),
        ("f64", np.float64),
    ],
)
def test_every_dtype_comes_back(stub, model, dtype):
    values = np.array([[0, 1], [1, 0]], dtype)
    proto = stub.Predict(request(model, x=values)).outputs["y"]
    np.testing.assert_array_equal(tf.make_ndarray(proto), values, strict=True)


def test_strings_and_several_tensors(stub):
    response = stub.Predict(request("multi", a=np.array([[1, 2]], np.int32), s=[b"\xff\0"]))
    assert list(response.outputs["txt"].string_val) == [b"\xff\0"]
    assert list(response.outputs["ids"].int_val) == [1, 2]
    assert set(response.outputs) == {"ids", "txt", "raw_bytes"}


def test_output_filter(stub):
    a = np.array([[1, 2]], np.int32)
    assert set(stub.Predict(request("multi", a=a, s=[b""], outputs=["txt"])).outputs) == {"txt"}


def test_versions_and_labels(stub):
    x = np.array([0.0], np.float32)
    for choice, expected in (
        ({}, 3.0),
        ({"version": 1}, 2.0),
        ({"label": "stable"}, 2.0),
        ({"label": "canary"}, 3.0),
    ):
        response = stub.Predict(request("two", x=x, **choice))
        assert list(response.outputs["y"].float_val) == [expected]


ONE = np.array([1.0], np.float32)
TOO_FEW = tensor_pb2.TensorProto(dtype=1, tensor_content=b"123")
TOO_FEW.tensor_shape.dim.add(size=5)
HUGE = tensor_pb2.TensorProto(dtype=1, float_val=[1.0])
HUGE.tensor_shape.dim.add(size=2**40)


@pytest.mark.parametrize(
    ("message", "code", "text"),
    [
        (request("nope", x=ONE), NOT_FOUND, "Servable not found for request: Latest(nope)"),
        (
            request("half", version=0, x=ONE),
            NOT_FOUND,
            "Servable not found for request: Specific(half, 0)",
        ),
        (
            request("half", label="x", x=ONE),
            INVALID,
            "Unrecognized servable version label: x",
        ),
        (request("", x=ONE), INVALID, "ModelSpec has no name specified."),
        (predict_pb2.PredictRequest(), INVALID, "Missing ModelSpec"),
        (
            request("odd", "nothing", a=ONE),
            INVALID,
            "Must specify at least one target to fetch or execute.",
        ),
        (request("odd", "astray", a=ONE), NOT_FOUND, "FetchOutputs node gone:0: not found"),
        (  # an operation, of which nothing comes
            request("half", "__saved_model_init_op"),
            INVALID,
            "FetchOutputs NoOp:0: output index too large, must be < 0",
        ),
        (request("half", "nope", x=ONE), FAILED, 'Serving signature key "nope" not found.'),
        (
            request("half", a=ONE, b=ONE),
            INVALID,
            "input size does not match signature: 2!=1 len({a,b}) != len({x}). "
            "Sent extra: {a,b}. Missing but required: {x}.",
        ),
        (
            request("half", z=ONE),
            INVALID,
            "Signature input alias: x(feed name: serving_default_x:0) not found in request and no "
            "default value provided. Inputs expected to be in the request {z}, or default input "
            "alias set: ",
        ),
        (request("half", x=TOO_FEW), INVALID, "tensor parsing error: x"),
        (request("half", x=HUGE), INVALID, "tensor parsing error: x"),
        (
            request("half", x=TOO_FEW, y=ONE),  # names are looked at before tensors
            INVALID,
            "input size does not match signature: 2!=1 len({x,y}) != len({x}). "
            "Sent extra: {y}. Missing but required: {}.",
        ),
        (request("half", x=np.array([1])), INVALID, "to be float but int64 is provided"),
        (
            request("half", outputs=["z"], x=ONE),
            INVALID,
            "output tensor alias not found in signature: z Outputs expected to be in the set {y}.",
        ),
        (
            request("half", outputs=["y", "y"], x=ONE),
            INVALID,
            "duplicate output tensor alias: y",
        ),
        (  # inputs are looked at before outputs
            request("half", outputs=["z"], a=ONE, b=ONE),
            INVALID,
            "input size does not match signature: 2!=1",
        ),
        (request("half", outputs=["z"], x=TOO_FEW), INVALID, "tensor parsing error: x"),
    ],
)
def test_predict_refuses(stub, message, code, text):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(message)
    assert caught.value.code() == code
    assert text in caught.value.details()


def test_default_of_an_input(stub):
    assert list(stub.Predict(request("odd", a=ONE)).outputs["sum"].float_val) == [11.0]
    response = stub.Predict(request("odd", a=ONE, b=np.array([2.0], np.float32)))
    assert list(response.outputs["sum"].float_val) == [3.0]
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(request("odd", b=ONE))
    assert "not found in request and no default value provided" in caught.value.details()
    assert caught.value.details().endswith("{b}, or default input alias set: b")


def test_long_messages_are_cut(stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(request("half", outputs=["\u00e9" * 5000], x=ONE))
    assert caught.value.code() == INVALID
    assert caught.value.details().endswith("\u00e9...TRUNCATED")
    assert len(caught.value.details().encode()) <= 1024 + len("...TRUNCATED")


class Caller:
    """A call as the services see it: how long the client still waits, stage by stage."""

    def __init__(self, *remaining, active=True):
        self._remaining, self._active, self.told = list(remaining), active, None

    def time_remaining(self):
        return self._remaining.pop(0)

    def is_active(self):
        return self._active

    def abort(self, code, details):
        self.told = code, details


@pytest.mark.parametrize("remaining", [[0.0], [5.0, -1.0]], ids=["in the queue", "in the run"])
def test_nothing_is_done_for_a_call_whose_time_is_over(server, remaining):
    """A worker that comes to it late does not run the model; a late result is not written."""
    caller = Caller(*remaining)
    services = Services(server.registry)
    assert services.Predict(request("half", x=np.array([2.0], np.float32)), caller) is None
    code, details = caller.told
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED
    assert "the call's deadline has passed" in details
    assert not caller._remaining


def test_nothing_is_done_for_a_client_that_has_left(server):
    caller = Caller(None, active=False)
    assert Services(server.registry).Predict(request("half"), caller) is None
    assert caller.told[0] == grpc.StatusCode.CANCELLED


def test_deadline(stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(request("slow", x=np.array([30.0], np.float32)), timeout=0.5)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_metadata(stub):
    message = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    message.model_spec.name = "half"
    response = stub.GetModelMetadata(message)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["serving_default"].inputs["x"].dtype == 1
    assert response.model_spec.version.value == 123
    assert (response.model_spec.name, response.model_spec.signature_name) == ("half", "")
    for fields, text in (
        ([], "GetModelMetadataRequest must specify at least one metadata_field"),
        (["signature_def", "other"], "Metadata field other is not supported"),
    ):
        del message.metadata_field[:]
        message.metadata_field.extend(fields)
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetModelMetadata(message)
        assert (caught.value.code(), caught.value.details()) == (INVALID, text)


def test_status(channel):
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    message = get_model_status_pb2.GetModelStatusRequest()
    message.model_spec.name = "two"
    entries = stub.GetModelStatus(message).model_version_status
    assert [(entry.version, entry.state, entry.status.error_code) for entry in entries] == [
        (2, 30, 0),
        (1, 30, 0),
    ]
    for name, version, text in (
        ("nope", None, "Could not find any versions of model nope"),
        ("two", 7, "Could not find version 7 of model two"),
        ("", None, "Could not find any versions of model "),
    ):
        message.model_spec.name = name
        if version:
            message.model_spec.version.value = version
        with pytest.raises(grpc.RpcError) as caught:
            stub.GetModelStatus(message)
        assert (caught.value.code(), caught.value.details()) == (NOT_FOUND, text)
        message.model_spec.ClearField("version")
    with pytest.raises(grpc.RpcError) as caught:
        stub.GetModelStatus(get_model_status_pb2.GetModelStatusRequest())
    assert (caught.value.code(), caught.value.details()) == (INVALID, "Missing ModelSpec")


def test_configuration_over_grpc(models):
    """The new list replaces the old one; a bad one changes nothing."""
    options = Options(port=0, rest_api_port=None, file_system_poll_wait_seconds=0.1)
    with (
        Server(single_model("half", str(models / "half")), options) as server,
        grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        stub = model_service_pb2_grpc.ModelServiceStub(channel)
        predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
        x = np.array([1.0], np.float32)

        def reload(name, **fields):
            message = model_management_pb2.ReloadConfigRequest()
            config = {"name": name, "model_platform": "tensorflow"} | fields
            message.config.model_config_list.config.add(**config)
            return stub.HandleReloadConfigRequest(message)

        with pytest.raises(grpc.RpcError) as caught:
            reload("other", base_path="relative")
        assert caught.value.code() == INVALID
        assert "to have an absolute path or URI" in caught.value.details()
        with pytest.raises(grpc.RpcError) as caught:
            stub.HandleReloadConfigRequest(model_management_pb2.ReloadConfigRequest())
        assert caught.value.code() == INVALID
        assert "Only ModelConfigList is currently supported" in caught.value.details()
        assert predict(request("half", x=x)).model_spec.version.value == 123

        two = {"base_path": str(models / "two")}
        with pytest.raises(grpc.RpcError) as caught:
            reload("other", version_labels={"new": 2}, **two)  # nothing is loaded yet
        assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
        assert caught.value.details() == (
            "Request to assign label to version 2 of model other, which is not currently available "
            "for inference"
        )
        assert predict(request("half", x=x)).model_spec.version.value == 123

        reload("other", **two)
        response = reload("other", version_labels={"new": 2}, **two)
        assert response.HasField("status")
        assert response.status.error_code == 0
        answer = predict(request("other", label="new", x=x))
        assert list(answer.outputs["y"].float_val) == [3.5]
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:  # it is unloaded after the reply
            last = predict.future(request("half", x=x)).code()
            if last == NOT_FOUND:
                break
        assert last == NOT_FOUND


def test_an_independent_client(server):
    client = ovmsclient.make_grpc_client(f"localhost:{server.port}")
    x = np.array([1.0, 2.0], np.float32)
    with pytest.raises(ovmsclient.ModelNotFoundError):
        client.predict({"x": x}, "half")  # it asks for version 0
    np.testing.assert_array_equal(client.predict({"x": x}, "half", 123), [2.5, 3.0])
    status = client.get_model_status("half", 123)
    assert status[123]["state"] == "AVAILABLE"
    assert client.get_model_metadata("half", 123)["inputs"]["x"]["dtype"] == "DT_FLOAT"


def test_an_independent_client_over_rest(server):
    """Without metadata: ovmsclient reads `modelSpec`, TensorFlow Serving sends `model_spec`."""
    client = ovmsclient.make_http_client(f"localhost:{server.rest_api_port}")
    x = np.array([1.0, 2.0], np.float32)
    np.testing.assert_array_equal(client.predict({"x": x}, "half", 123), [2.5, 3.0])
    assert client.get_model_status("half", 123)[123]["state"] == "AVAILABLE"
