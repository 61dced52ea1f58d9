"""Model status and metadata: the messages, for gRPC, and their JSON form, for REST."""

import json

from google.protobuf.json_format import MessageToDict
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.lifecycle.registry import Registry


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


def status_json(response: get_model_status_pb2.GetModelStatusResponse) -> bytes:
    """The body of a status reply."""
    return (_json(response) + "\n").encode()


def metadata_json(response: get_model_metadata_pb2.GetModelMetadataResponse) -> bytes:
    """The body of a metadata reply, two messages in a frame of TensorFlow Serving's making."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    return (
        f'{{\n"model_spec":{_json(response.model_spec)}\n,\n'
        f'"metadata": {{"signature_def": {_json(signatures)}\n}}\n}}\n'
    ).encode()


def _json(message) -> str:
    fields = MessageToDict(
        message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
    )
    return json.dumps(fields, indent=1, ensure_ascii=False)
