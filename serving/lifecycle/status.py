"""Model status and metadata, as messages of TensorFlow Serving's API."""

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from zoo.serving.lifecycle.registry import Registry


def status_of(
    registry: Registry, name: str, version: int | None = None
) -> get_model_status_pb2.GetModelStatusResponse:
    """State of one or of all versions of a model that were ever seen.

    Raises:
        ServingError: NOT_FOUND if there is none.
    """
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, state, error in registry.statuses(name, version):
        entry = response.model_version_status.add(version=number, state=int(state))
        entry.status.error_code = error.number if error else 0
        entry.status.error_message = error.message if error else ""
    return response


def metadata_of(
    registry: Registry, name: str, version: int | None = None, label: str | None = None
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Signatures of an available version.

    Raises:
        ServingError: NOT_FOUND, or INVALID_ARGUMENT for an unknown label.
    """
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    signatures = get_model_metadata_pb2.SignatureDefMap()
    with registry.acquire(name, version, label) as (servable, number):
        for key, signature in servable.signatures.items():
            signatures.signature_def[key].CopyFrom(signature)
    response.model_spec.name = name
    response.model_spec.version.value = number
    response.metadata["signature_def"].Pack(signatures)
    return response
