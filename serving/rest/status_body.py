"""Writes the messages of model status and metadata in their JSON form."""

import json

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2


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


def _json(message: Message) -> str:
    fields = MessageToDict(
        message, always_print_fields_with_no_presence=True, preserving_proto_field_name=True
    )
    return json.dumps(fields, indent=1, ensure_ascii=False)
