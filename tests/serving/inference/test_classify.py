"""Classify, regress and multi-inference, over REST and gRPC, on good and bad signatures."""

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    input_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from zoo.serving.errors import ServingError
from zoo.serving.inference.classify import (
    CLASSIFY,
    REGRESS,
    run_classification_request,
    run_regression_request,
)
from zoo.serving.inference.multi_inference import run_multi_inference_request
from zoo.serving.inference.servable import Servable


@pytest.fixture(scope="module")
def stub(server):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def examples(*values: float) -> input_pb2.Input:
    message = input_pb2.Input()
    for value in values:
        example = message.example_list.examples.add()
        example.features.feature["x"].float_list.value.append(value)
    return message


@pytest.mark.parametrize(
    ("path", "body", "results"),
    [
        (
            "half:classify",
            {"signature_name": "classify_x_to_y", "examples": [{"x": 20.0}]},
            [[["", 12.0]]],
        ),
        (
            "half/versions/123:classify",
            {"signature_name": "classify_x_to_y", "examples": [{"x": 2.0}, {"x": 4.0}]},
            [[["", 3.0]], [["", 4.0]]],
        ),
        (
            "half:regress",
            {"signature_name": "regress_x_to_y", "examples": [{"x": [80.0]}, {"x": 6.0}]},
            [42.0, 5.0],
        ),
        (
            "half:regress",
            {"signature_name": "regress_x_to_y", "context": {"x": 80.0}, "examples": [{}]},
            [42.0],
        ),
        (
            "judge:classify",
            {"signature_name": "classify", "examples": [{"x": 0.2, "word": "é"}, {"x": 1e-5}]},
            [[["é", 0.2], ["\ufffd", -0.2]], [["none", 1e-05], ["\ufffd", -1e-05]]],
        ),
        (
            "judge:classify",
            {
                "signature_name": "classes",
                "context": {"word": {"b64": "dw=="}},
                "examples": [{"x": 1.0}],
            },
            [[["w", 0.0], ["\ufffd", 0.0]]],
        ),
        (
            "judge/versions/1:regress",
            {"signature_name": "regress_column", "examples": [{"x": 1.5}]},
            [4.5],
        ),
    ],
)
def test_over_rest(client, path, body, results):
    reply = client("POST", f"/v1/models/{path}", body)
    assert (reply.status, reply.json) == (200, {"results": results})
    assert reply.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "signature", "message"),
    [
        ("half:classify", "nope", "No signature was found with the name: nope"),
        ("multi:classify", "", "Expected one input Tensor."),
        ("half:classify", "", "No classification inputs found in SignatureDef: "),
        ("half:regress", "", "No regression inputs found in SignatureDef: "),
        ("judge:regress", "bad_name", "No regression outputs found in SignatureDef: "),
        (
            "judge:classify",
            "bad_name",
            'Expected classification signature outputs to contain at least one of "classes" or '
            '"scores". Signature was: ',
        ),
        ("judge:classify", "three", "Expected one or two output Tensors, found 3"),
        ("judge:regress", "classify", "Expected one output Tensor."),
        ("enc:classify", "", "Expected one or two output Tensors, found 3"),
        (
            "judge:classify",
            "bad_rank",
            "Expected Tensor shape: [batch_size num_classes] but got [2]",
        ),
        (
            "judge:classify",
            "bad_type",
            "Expected scores Tensor of DT_FLOAT. Got: DT_DOUBLE",
        ),
        (
            "judge:classify",
            "bad_classes",
            "Expected classes Tensor of DT_STRING. Got: DT_FLOAT",
        ),
        ("judge:classify", "bad_batch", "Expected scores output batch size of 2. Got: 1"),
        (
            "judge:classify",
            "bad_width",
            "Tensors class and score should match in dim_size(1). Got 2 vs. 1",
        ),
        (
            "judge:regress",
            "wide",
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] "
            "but got [2,2]",
        ),
        (
            "judge:regress",
            "short",
            "Input batch size did not match output batch size: 2 vs. 1",
        ),
        ("judge:regress", "double", "Expected output Tensor of DT_FLOAT.  Got: DT_DOUBLE"),
    ],
)
def test_signatures_that_do_not_fit(client, path, signature, message):
    body = {"signature_name": signature, "examples": [{"x": 1.0}, {"x": 2.0}]}
    reply = client("POST", f"/v1/models/{path}", body)
    assert reply.status == 400
    assert reply.error.startswith(message)


def test_the_body_is_judged_before_the_model_is_looked_for(client):
    reply = client("POST", "/v1/models/nope:classify", {"examples": [{"x": [1, 1.5]}]})
    assert (reply.status, reply.error[:34]) == (400, "Unexpected element type in feature")
    reply = client("POST", "/v1/models/nope:regress", {"examples": [{}]})
    assert (reply.status, reply.error) == (404, "Servable not found for request: Latest(nope)")
    reply = client("POST", "/v1/models/two/labels/x:regress", {"examples": [{}]})
    assert (reply.status, reply.error) == (400, "Unrecognized servable version label: x")


def test_an_example_the_model_cannot_read(client):
    body = {"signature_name": "regress_x_to_y", "examples": [{"y": 1.0}]}
    reply = client("POST", "/v1/models/half:regress", body)
    assert reply.status == 400
    assert "Traceback" not in reply.error


_values = st.none() | st.integers() | st.floats() | st.text(max_size=2) | st.lists(st.floats())


@settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(["classify", "regress"]),
    st.sampled_from(["half", "judge", "multi", "keras"]),
    st.sampled_from(["", "classify", "regress", "classify_x_to_y", "regress_x_to_y"]),
    st.lists(st.dictionaries(st.sampled_from(["x", "word"]), _values, max_size=2), min_size=1),
)
def test_no_examples_make_the_server_fail(client, verb, model, signature, rows):
    body = {"signature_name": signature, "examples": rows}
    assert client("POST", f"/v1/models/{model}:{verb}", body).status in (200, 400)


# Over gRPC.


def fill(spec, model: str, signature: str, version: int | None = None) -> None:
    spec.name = model
    spec.signature_name = signature
    if version is not None:
        spec.version.value = version


def test_classify_and_regress_over_grpc(stub):
    request = classification_pb2.ClassificationRequest(input=examples(20.0))
    fill(request.model_spec, "half", "classify_x_to_y", version=123)
    response = stub.Classify(request)
    assert [each.score for each in response.result.classifications[0].classes] == [12.0]
    assert response.model_spec.version.value == 123
    assert response.model_spec.signature_name == "classify_x_to_y"

    request = regression_pb2.RegressionRequest(input=examples(2.0, 4.0))
    fill(request.model_spec, "half", "regress_x_to_y")
    response = stub.Regress(request)
    assert [each.value for each in response.result.regressions] == [3.0, 4.0]
    assert (response.model_spec.name, response.model_spec.version.value) == ("half", 123)


INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("model", "signature", "rows", "code", "text"),
    [
        ("half", "nope", [1.0], INVALID, "No signature was found with the name: nope"),
        ("half", "regress_x_to_y", [], INVALID, "Input is empty."),
        (
            "half",
            "",
            [1.0],
            grpc.StatusCode.FAILED_PRECONDITION,
            "No regression inputs found in SignatureDef: ",
        ),
        ("", "", [1.0], INVALID, "ModelSpec has no name specified."),
        (
            "nope",
            "",
            [1.0],
            grpc.StatusCode.NOT_FOUND,
            "Servable not found for request: Latest(nope)",
        ),
    ],
)
def test_regress_over_grpc_refuses(stub, model, signature, rows, code, text):
    request = regression_pb2.RegressionRequest(input=examples(*rows))
    fill(request.model_spec, model, signature)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Regress(request)
    assert caught.value.code() == code
    assert caught.value.details().startswith(text)


def test_no_model_spec(stub):
    for method, request in (
        (stub.Classify, classification_pb2.ClassificationRequest(input=examples(1.0))),
        (stub.Regress, regression_pb2.RegressionRequest(input=examples(1.0))),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            method(request)
        assert (caught.value.code(), caught.value.details()) == (INVALID, "Missing ModelSpec")


def inference(*tasks, rows=(2.0,)) -> inference_pb2.MultiInferenceRequest:
    request = inference_pb2.MultiInferenceRequest(input=examples(*rows))
    for model, signature, method_name in tasks:
        fill(request.tasks.add(method_name=method_name).model_spec, model, signature)
    return request


def test_multi_inference(stub):
    request = inference(
        ("judge", "regress", REGRESS),
        ("judge", "classify", CLASSIFY),
        ("judge", "regress_column", REGRESS),
        rows=(2.0, 3.0),
    )
    first, second, third = stub.MultiInference(request).results
    assert [each.value for each in first.regression_result.regressions] == [4.0, 6.0]
    assert [each.value for each in third.regression_result.regressions] == [6.0, 9.0]
    classes = second.classification_result.classifications[1].classes
    assert [(each.label, each.score) for each in classes] == [("none", 3.0), ("\ufffd", -3.0)]
    assert (first.model_spec.name, first.model_spec.version.value) == ("judge", 1)
    assert second.model_spec.signature_name == "classify"


def test_multi_inference_runs_the_graph_once(models):
    runs = []
    servable = Servable(models / "judge" / "1", observe_run=lambda api, _: runs.append(api))
    tasks = [("classify", CLASSIFY), ("classes", CLASSIFY), ("regress", REGRESS)]
    request = inference(*[("judge", *task) for task in tasks], rows=(2.0,))
    both, classes, number = run_multi_inference_request(servable, request)
    servable.close()
    assert runs == ["MultiInference"]
    # The first two share a tensor, and each has what its own signature gives.
    assert [
        (each.label, each.score) for each in both.classification_result.classifications[0].classes
    ] == [("none", 2.0), ("\ufffd", -2.0)]
    assert [
        (each.label, each.score)
        for each in classes.classification_result.classifications[0].classes
    ] == [("none", 0.0), ("\ufffd", 0.0)]
    assert number.regression_result.regressions[0].value == 4.0


def test_multi_inference_on_signatures_with_inputs_of_their_own(stub):
    """As programs of TensorFlow 2 make them; every input gets the same examples."""
    request = inference(
        ("half", "regress_x_to_y", REGRESS),
        ("half", "classify_x_to_y", CLASSIFY),
        rows=(2.0, 4.0),
    )
    first, second = stub.MultiInference(request).results
    assert [each.value for each in first.regression_result.regressions] == [3.0, 4.0]
    classes = [row.classes for row in second.classification_result.classifications]
    assert [[(each.label, each.score) for each in row] for row in classes] == [
        [("", 3.0)],
        [("", 4.0)],
    ]
    request = inference(("judge", "of_others", REGRESS), ("judge", "regress", REGRESS))
    others, regress = stub.MultiInference(request).results
    assert others.regression_result.regressions[0].value == 0.0
    assert regress.regression_result.regressions[0].value == 4.0


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (inference(), INVALID, "ModelSpec has no name specified."),
        (
            inference(("judge", "regress", REGRESS), ("", "classify", CLASSIFY)),
            INVALID,
            "Found ModelSpec with an empty model name.",
        ),
        (
            inference(("judge", "regress", REGRESS), ("half", "regress", REGRESS)),
            INVALID,
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        (
            inference(("judge", "regress", REGRESS), ("judge", "regress", REGRESS)),
            INVALID,
            "Duplicate evaluation of signature: regress",
        ),
        (
            inference(("judge", "nope", REGRESS)),
            INVALID,
            "Requested signature not found in model graph: nope",
        ),
        (
            inference(("judge", "", REGRESS)),
            INVALID,
            "Requested signature not found in model graph: serving_default",
        ),
        (
            inference(("half", "", "tensorflow/serving/predict")),
            grpc.StatusCode.UNIMPLEMENTED,
            "Unsupported signature method_name: tensorflow/serving/predict",
        ),
        (inference(("judge", "regress", REGRESS), rows=()), INVALID, "Input is empty."),
        (
            inference(("nope", "", REGRESS)),
            grpc.StatusCode.NOT_FOUND,
            "Servable not found for request: Latest(nope)",
        ),
    ],
)
def test_multi_inference_refuses(stub, request_, code, text):
    with pytest.raises(grpc.RpcError) as caught:
        stub.MultiInference(request_)
    assert (caught.value.code(), caught.value.details()) == (code, text)


def test_method_names_are_checked_if_asked_for(models):
    """`--enable_signature_method_name_check`: TF1 programs say what a signature is for."""
    servable = Servable(models / "judge" / "1", check_method_names=True)
    request = regression_pb2.RegressionRequest(input=examples(1.0))
    request.model_spec.signature_name = "regress"
    assert run_regression_request(servable, request).regressions[0].value == 2.0
    with pytest.raises(ServingError) as caught:
        run_classification_request(servable, request)
    assert caught.value.message == (
        f"Expected classification signature method_name to be {CLASSIFY}. Was: {REGRESS}"
    )
    servable.close()
