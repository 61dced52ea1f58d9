"""The option files of TensorFlow Serving whose protos `tensorflow-serving-api` does not ship.

The messages are put together here from the fields TensorFlow Serving documents, so that protobuf's
own text parser reads the files, with all its freedom and its error messages.
"""

from pathlib import Path

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from google.protobuf.message import Message

from zoo.serving.errors import ServingError, invalid_argument

_FIELD = descriptor_pb2.FieldDescriptorProto
_BOOL = {"type": _FIELD.TYPE_BOOL}
_STRING = {"type": _FIELD.TYPE_STRING}
_INT64S = {"type": _FIELD.TYPE_INT64, "label": _FIELD.LABEL_REPEATED}


def _nested(type_name: str) -> dict[str, int | str]:
    return {"type": _FIELD.TYPE_MESSAGE, "type_name": type_name}


_INT64_VALUE = _nested(".google.protobuf.Int64Value")
_BOOL_VALUE = _nested(".google.protobuf.BoolValue")
_STRING_VALUE = _nested(".google.protobuf.StringValue")

_MESSAGES = {
    "BatchingParameters": {
        "max_batch_size": _INT64_VALUE,
        "batch_timeout_micros": _INT64_VALUE,
        "max_enqueued_batches": _INT64_VALUE,
        "num_batch_threads": _INT64_VALUE,
        "thread_pool_name": _STRING_VALUE,
        "allowed_batch_sizes": _INT64S,
        "pad_variable_length_inputs": _BOOL,
        "enable_large_batch_splitting": _BOOL_VALUE,
        "max_execution_batch_size": _INT64_VALUE,
    },
    "PrometheusConfig": {"enable": _BOOL, "path": _STRING},
    "MonitoringConfig": {"prometheus_config": _nested(".tensorflow.serving.PrometheusConfig")},
    "SSLConfig": {
        "server_key": _STRING,
        "server_cert": _STRING,
        "custom_ca": _STRING,
        "client_verify": _BOOL,
    },
}


def _message_classes() -> dict[str, type[Message]]:
    file = descriptor_pb2.FileDescriptorProto(
        name="serving/options.proto",
        package="tensorflow.serving",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            message.field.add(
                **{"name": field, "number": number, "label": _FIELD.LABEL_OPTIONAL} | kind
            )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    types = {name: pool.FindMessageTypeByName(f"{file.package}.{name}") for name in _MESSAGES}
    return {name: message_factory.GetMessageClass(kind) for name, kind in types.items()}


_CLASSES = _message_classes()


def read_text_file(path: Path, kind: str) -> Message:
    """Reads an option file in protobuf's text form.

    Args:
        path: The path of the file.
        kind: The message, "BatchingParameters", "MonitoringConfig" or "SSLConfig".

    Returns:
        The message; its fields are those of TensorFlow Serving's.

    Raises:
        ServingError: NOT_FOUND if the file cannot be read, INVALID_ARGUMENT if it is not of that
            kind.
    """
    return parse_text(path, _CLASSES[kind]())


def parse_text(path: Path, message: Message) -> Message:
    """Reads a file in protobuf's text form into a message, and returns it.

    Raises:
        ServingError: The file cannot be read, or is not of that kind; as `read_text_file`.
    """
    kind = message.DESCRIPTOR
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ServingError("NOT_FOUND", f"Cannot read {kind.name} file {path}: {error}") from error
    try:
        return text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise invalid_argument(
            f"Invalid protobuf file: '{path}'. "
            f"Error parsing text-format {kind.full_name}: {_explanation(error)}"
        ) from error


def _explanation(error: text_format.ParseError) -> str:
    """`LINE:COLUMN: what is wrong`, as protobuf's parser in C++ writes it."""
    line, column = error.GetLine(), error.GetColumn()
    if line is None:
        return str(error)
    return f"{line}:{column}: {str(error).removeprefix(f'{line}:{column} : ')}"
