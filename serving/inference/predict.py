"""Runs a `PredictRequest` message: what gRPC clients send and what warm-up files hold."""

from collections.abc import Iterator, Mapping

import numpy as np
from tensorflow_serving.apis import predict_pb2

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.inference.servable import DEFAULT_SIGNATURE, Servable
from zoo.serving.inference.tensor_proto import read_tensor

_METHOD_NAMES = tuple(f"tensorflow/serving/{kind}" for kind in ("predict", "classify", "regress"))


def run_predict_request(
    servable: Servable, request: predict_pb2.PredictRequest, timeout_ms: int = 0
) -> dict[str, np.ndarray]:
    """Runs the request's signature on its tensors; the model named in it is not looked at.

    Args:
        servable: The model version to run.
        request: `inputs`, `model_spec.signature_name` and `output_filter` are used.
        timeout_ms: Milliseconds after which the run is given up; 0 waits for ever.

    Returns:
        Output name -> array.

    Raises:
        ServingError: FAILED_PRECONDITION for an unknown signature, INVALID_ARGUMENT for tensors
            that are not the signature's, or what the model raised.
    """
    name = request.model_spec.signature_name or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        raise ServingError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
    check_method_name(servable, name)
    outputs = servable.run(
        name,
        _Tensors(request.inputs),
        output_names=list(request.output_filter),
        timeout_ms=timeout_ms,
    )
    if not outputs:  # REST has words of its own for that
        raise invalid_argument("Must specify at least one target to fetch or execute.")
    return outputs


def check_method_name(servable: Servable, signature_name: str) -> None:
    """Refuses signatures that are not for inference, if the server is to look at that.

    Raises:
        ServingError: INTERNAL, as TensorFlow Serving has it.
    """
    method_name = servable.signatures[signature_name].method_name
    if servable.check_method_names and method_name not in _METHOD_NAMES:
        raise ServingError(
            "INTERNAL",
            "Expected prediction signature method_name to be one of "
            f"{{{', '.join(_METHOD_NAMES)}}}. Was: {method_name}",
        )


class _Tensors(Mapping):
    """Reads a tensor when it is asked for: wrong names are complained about before bad tensors."""

    def __init__(self, protos: Mapping) -> None:
        self._protos = protos

    def __getitem__(self, name: str) -> np.ndarray:
        return read_tensor(name, self._protos[name])

    def __contains__(self, name: object) -> bool:
        return name in self._protos

    def __iter__(self) -> Iterator[str]:
        return iter(self._protos)

    def __len__(self) -> int:
        return len(self._protos)
