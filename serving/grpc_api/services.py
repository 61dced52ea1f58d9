"""The gRPC API: `PredictionService` and `ModelService` over the same models as REST."""

import logging
import math
from collections.abc import Callable
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    inference_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.inference.classify import run_classification_request, run_regression_request
from zoo.serving.inference.multi_inference import run_multi_inference_request
from zoo.serving.inference.predict import run_predict_request
from zoo.serving.inference.servable import DEFAULT_SIGNATURE, Servable
from zoo.serving.inference.tensor_proto import write_tensor
from zoo.serving.lifecycle.config import read_config
from zoo.serving.lifecycle.registry import Registry
from zoo.serving.lifecycle.status import metadata_of, status_of

_OnExamples = classification_pb2.ClassificationRequest | regression_pb2.RegressionRequest
_Response = TypeVar("_Response", bound=Message)
_LeftMs = Callable[[], int]
_LONGEST_TIMEOUT_SECONDS = 24 * 3600
_MAX_DETAILS_BYTES = 1024

_log = logging.getLogger(__name__)


class Services(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """Every method of the two services but streams, which stay UNIMPLEMENTED.

    Args:
        registry: Where the models are.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature on tensors."""
        return _answer(context, lambda: self._predict(request, _left_ms_of(context)))

    def Classify(
        self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext
    ) -> classification_pb2.ClassificationResponse:
        """Runs a classifier on examples."""
        return _answer(context, lambda: self._classify(request, _left_ms_of(context)))

    def Regress(
        self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext
    ) -> regression_pb2.RegressionResponse:
        """Runs a regressor on examples."""
        return _answer(context, lambda: self._regress(request, _left_ms_of(context)))

    def MultiInference(
        self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext
    ) -> inference_pb2.MultiInferenceResponse:
        """Runs classifiers and regressors of one model on the same examples."""
        return _answer(context, lambda: self._infer(request, _left_ms_of(context)))

    def GetModelMetadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Returns the signatures of a version."""
        return _answer(context, lambda: self._metadata(request))

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Returns the states of a model's versions."""
        return _answer(context, lambda: self._status(request))

    def HandleReloadConfigRequest(
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """Serves what a new configuration names, and nothing else."""
        return _answer(context, lambda: self._reload(request, _left_ms_of(context)))

    def _predict(
        self, request: predict_pb2.PredictRequest, left_ms: _LeftMs
    ) -> predict_pb2.PredictResponse:
        response = predict_pb2.PredictResponse()
        with self._registry.acquire(*_model(request)) as (servable, number):
            outputs = run_predict_request(servable, request, left_ms())
        left_ms()
        for key, array in outputs.items():
            response.outputs[key].CopyFrom(write_tensor(array))
        _fill_model_spec(response.model_spec, request.model_spec, number)
        return response

    def _classify(
        self, request: classification_pb2.ClassificationRequest, left_ms: _LeftMs
    ) -> classification_pb2.ClassificationResponse:
        response = classification_pb2.ClassificationResponse()
        return self._examples(run_classification_request, request, left_ms, response)

    def _regress(
        self, request: regression_pb2.RegressionRequest, left_ms: _LeftMs
    ) -> regression_pb2.RegressionResponse:
        response = regression_pb2.RegressionResponse()
        return self._examples(run_regression_request, request, left_ms, response)

    def _examples(
        self,
        run: Callable[[Servable, _OnExamples, int], Message],
        request: _OnExamples,
        left_ms: _LeftMs,
        response: _Response,
    ) -> _Response:
        """Fills the response to a request that is about examples."""
        with self._registry.acquire(*_model(request)) as (servable, number):
            response.result.CopyFrom(run(servable, request, left_ms()))
        _fill_model_spec(response.model_spec, request.model_spec, number)
        return response

    def _infer(
        self, request: inference_pb2.MultiInferenceRequest, left_ms: _LeftMs
    ) -> inference_pb2.MultiInferenceResponse:
        spec = request.tasks[0].model_spec if request.tasks else model_pb2.ModelSpec()
        with self._registry.acquire(*_version(spec)) as (servable, number):
            results = run_multi_inference_request(servable, request, left_ms())
        for result in results:
            result.model_spec.version.value = number
        return inference_pb2.MultiInferenceResponse(results=results)

    def _metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        _require_model_spec(request)
        if not request.metadata_field:
            raise invalid_argument(
                "GetModelMetadataRequest must specify at least one metadata_field"
            )
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid_argument(f"Metadata field {field} is not supported")
        return metadata_of(self._registry, *_model(request))

    def _status(
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        _require_model_spec(request)
        spec = request.model_spec  # a label says nothing here, an empty name is merely unknown
        version = spec.version.value if spec.HasField("version") else None
        return status_of(self._registry, spec.name, version)

    def _reload(
        self, request: model_management_pb2.ReloadConfigRequest, left_ms: _LeftMs
    ) -> model_management_pb2.ReloadConfigResponse:
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid_argument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. "
                "Only ModelConfigList is currently supported"
            )
        self._registry.reload(read_config(request.config), left_ms() / 1000 or None)
        response = model_management_pb2.ReloadConfigResponse()
        response.status.SetInParent()  # OK is all zeros, but it shall be there
        return response


def _answer(context: grpc.ServicerContext, method: Callable[[], _Response]) -> _Response:
    """Returns what a method does; an error ends the call with its code instead."""
    try:
        return method()
    except ServingError as error:
        code, details = grpc.StatusCode[error.code], _details(error.message)
    except Exception:
        _log.exception("gRPC call")
        code, details = grpc.StatusCode.INTERNAL, "Internal error; the server's log tells more."
    context.abort(code, details)


def _details(message: str) -> str:
    """The message, short enough for the header that carries it."""
    text = message.encode("utf-8", "replace")
    if len(text) <= _MAX_DETAILS_BYTES:
        return text.decode()
    return text[:_MAX_DETAILS_BYTES].decode("utf-8", "ignore") + "...TRUNCATED"


def _left_ms_of(context: grpc.ServicerContext) -> _LeftMs:
    """A function of what is left of the client's deadline, to be asked between two stages.

    Its milliseconds are at least 1; 0 means that the client has set none. It raises a ServingError:
    CANCELLED if the client has left, DEADLINE_EXCEEDED if nothing is left.
    """

    def left_ms() -> int:
        remaining = context.time_remaining()
        if remaining is not None and remaining <= 0:
            raise ServingError("DEADLINE_EXCEEDED", "Timed out: the call's deadline has passed.")
        if not context.is_active():
            raise ServingError("CANCELLED", "The client has left.")
        if remaining is None or remaining > _LONGEST_TIMEOUT_SECONDS:
            return 0
        return max(1, math.ceil(remaining * 1000))

    return left_ms


def _require_model_spec(request: Message) -> None:
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")


def _model(request: Message) -> tuple[str, int | None, str | None]:
    """Name, version and label of the model a request asks for."""
    _require_model_spec(request)
    return _version(request.model_spec)


def _version(spec: model_pb2.ModelSpec) -> tuple[str, int | None, str | None]:
    if not spec.name:
        raise invalid_argument("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    version = spec.version.value if choice == "version" else None
    return spec.name, version, spec.version_label if choice == "version_label" else None


def _fill_model_spec(
    response: model_pb2.ModelSpec, request: model_pb2.ModelSpec, number: int
) -> None:
    response.name = request.name
    response.version.value = number
    response.signature_name = request.signature_name or DEFAULT_SIGNATURE
