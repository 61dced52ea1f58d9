"""The gRPC API: `PredictionService` and `ModelService` over the same models as REST."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.codec import DEFAULT_SIGNATURE
from serving.errors import ServingError, invalid_argument
from serving.predict import run_predict_request, write_tensor
from serving.registry import Registry
from serving.reports import metadata_of, status_of

_THREADS = 16
_LONGEST_TIMEOUT_SECONDS = 24 * 3600
_MAX_MESSAGE_BYTES = 2**31 - 1
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}


def build_grpc_server(registry: Registry, host: str, port: int) -> tuple[grpc.Server, int]:
    """Builds the server and binds its port; call `start` on it.

    Args:
        registry: Where the models are.
        host: Address to listen on.
        port: To bind; 0 for any free one.

    Returns:
        The server and the port it is bound to.

    Raises:
        ServingError: UNAVAILABLE if the port cannot be bound.
    """
    server = grpc.server(
        ThreadPoolExecutor(_THREADS, "grpc"),
        options=[
            ("grpc.max_send_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
            ("grpc.so_reuseport", 0),
        ],
    )
    service = _Services(registry)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(service, server)
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        return server, server.add_insecure_port(address)
    except RuntimeError as error:
        raise ServingError(
            "UNAVAILABLE", f"Cannot listen on {address} for gRPC. Choose another --port."
        ) from error


class _Services(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    """The methods that are built; the base classes answer UNIMPLEMENTED to the others."""

    def __init__(self, registry: Registry):
        self._registry = registry

    def Predict(self, request, context):
        return _answer(context, lambda: self._predict(request, context))

    def GetModelMetadata(self, request, context):
        return _answer(context, lambda: self._metadata(request))

    def GetModelStatus(self, request, context):
        return _answer(context, lambda: self._status(request))

    def _predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        name, version, label = _model(request)
        response = predict_pb2.PredictResponse()
        with self._registry.acquire(name, version, label) as (servable, number):
            outputs = run_predict_request(servable, request, _timeout_ms(context))
        for key, array in outputs.items():
            response.outputs[key].CopyFrom(write_tensor(array))
        response.model_spec.name = name
        response.model_spec.version.value = number
        response.model_spec.signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        return response

    def _metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        name, version, label = _model(request)
        if not request.metadata_field:
            raise invalid_argument("GetModelMetadataRequest must specify at least one field.")
        for field in request.metadata_field:
            if field != "signature_def":
                raise invalid_argument(f"Metadata field {field} is not supported")
        return metadata_of(self._registry, name, version, label)

    def _status(
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        name, version, _ = _model(request)
        return status_of(self._registry, name, version)


def _answer(context: grpc.ServicerContext, method: Callable):
    try:
        return method()
    except ServingError as error:
        context.abort(_STATUS_CODES[error.number], error.message)


def _timeout_ms(context: grpc.ServicerContext) -> int:
    """What is left of the client's deadline, at least 1; 0 if it has set none."""
    remaining = context.time_remaining()
    if remaining is None or remaining > _LONGEST_TIMEOUT_SECONDS:
        return 0
    return max(1, math.ceil(remaining * 1000))


def _model(request) -> tuple[str, int | None, str | None]:
    """Name, version and label of the model a request asks for."""
    if not request.HasField("model_spec"):
        raise invalid_argument("Missing ModelSpec")
    spec: model_pb2.ModelSpec = request.model_spec
    if not spec.name:
        raise invalid_argument("ModelSpec has no name specified.")
    choice = spec.WhichOneof("version_choice")
    version = spec.version.value if choice == "version" else None
    return spec.name, version, spec.version_label if choice == "version_label" else None
