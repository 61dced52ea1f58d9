"""Classify and regress: signatures that take serialized `tf.Example`s and have fixed names.

Their input is called `inputs`. A classifier's outputs are `classes` (strings), `scores` (floats),
or both, `[batch, classes]`; a regressor's is `outputs`, `[batch]` or `[batch, 1]`.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import classification_pb2, input_pb2, model_pb2, regression_pb2

from zoo.serving.errors import ServingError, invalid_argument, shape_text
from zoo.serving.inference.servable import DEFAULT_SIGNATURE, Servable

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
REGRESSOR_OUTPUT = "outputs"
_INPUT = "inputs"


def run_classification_request(
    servable: Servable, request: classification_pb2.ClassificationRequest, timeout_ms: int = 0
) -> classification_pb2.ClassificationResult:
    """Runs a classifier; the model named in the request is not looked at.

    Args:
        servable: The model version to run.
        request: `input` and `model_spec.signature_name` are used.
        timeout_ms: Milliseconds after which the run is given up; 0 waits for ever.

    Returns:
        For each example, labels and scores. A label is empty without an output `classes`, a score
        is 0 without `scores`.

    Raises:
        ServingError: The signature is not a classifier's, its outputs are not what they should
            be, there are no examples, or the run failed.
    """
    name = _signature_name(servable, request.model_spec)
    check_classification(servable, name)
    inputs = serialized_examples(request.input)
    wanted = classifier_outputs(servable.signatures[name])
    outputs = servable.run(
        name, {_INPUT: inputs}, output_names=wanted, timeout_ms=timeout_ms, api="Classify"
    )
    servable.observe_examples(len(inputs))
    return classification_result(outputs, len(inputs))


def run_regression_request(
    servable: Servable, request: regression_pb2.RegressionRequest, timeout_ms: int = 0
) -> regression_pb2.RegressionResult:
    """Runs a regressor, as `run_classification_request` runs a classifier."""
    name = _signature_name(servable, request.model_spec)
    check_regression(servable, name)
    inputs = serialized_examples(request.input)
    wanted = [REGRESSOR_OUTPUT]
    outputs = servable.run(
        name, {_INPUT: inputs}, output_names=wanted, timeout_ms=timeout_ms, api="Regress"
    )
    servable.observe_examples(len(inputs))
    return regression_result(outputs, len(inputs))


def serialized_examples(request: input_pb2.Input) -> np.ndarray:
    """Makes what models that read examples are fed with: `[batch]` strings, one per example.

    A context stands before each of them. Protobuf merges the two when the model parses the
    string; where both have a feature, the example's own wins.

    Raises:
        ServingError: INVALID_ARGUMENT if there is no example.
    """
    context = request.example_list_with_context.context.SerializeToString()
    examples = getattr(request, request.WhichOneof("kind") or "example_list").examples
    if not examples:
        raise invalid_argument("Input is empty.")
    array = np.empty(len(examples), object)
    array[:] = [context + example.SerializeToString() for example in examples]
    return array


def check_classification(servable: Servable, name: str) -> None:
    """Raises `ServingError` unless the signature is a classifier's."""
    signature = servable.signatures[name]
    _check_method_name(servable, signature, CLASSIFY, "classification")
    _check_one_input(signature)
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    _check_input_name(signature, "classification")
    if "classes" not in signature.outputs and "scores" not in signature.outputs:
        raise ServingError(
            "FAILED_PRECONDITION",
            "Expected classification signature outputs to contain at least one of "
            f'"classes" or "scores". Signature was: {signature}',
        )


def check_regression(servable: Servable, name: str) -> None:
    """Raises `ServingError` unless the signature is a regressor's."""
    signature = servable.signatures[name]
    _check_method_name(servable, signature, REGRESS, "regression")
    _check_one_input(signature)
    if len(signature.outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    _check_input_name(signature, "regression")
    if REGRESSOR_OUTPUT not in signature.outputs:
        raise ServingError(
            "FAILED_PRECONDITION", f"No regression outputs found in SignatureDef: {signature}"
        )


def classifier_outputs(signature: meta_graph_pb2.SignatureDef) -> list[str]:
    """Names the outputs that are fetched of a signature that `check_classification` has passed."""
    return [name for name in ("classes", "scores") if name in signature.outputs]


def classification_result(
    outputs: Mapping[str, np.ndarray], examples: int
) -> classification_pb2.ClassificationResult:
    """Makes a message of a classifier's outputs.

    Args:
        outputs: `classes`, `scores` or both.
        examples: The number of examples that there were.

    Raises:
        ServingError: INVALID_ARGUMENT if they have not the shape or the dtype they should have.
    """
    _check_class_outputs(outputs, examples)
    classes, scores = outputs.get("classes"), outputs.get("scores")
    result = classification_pb2.ClassificationResult()
    for row in range(examples):
        each = result.classifications.add()
        for column in range(next(iter(outputs.values())).shape[1]):
            each.classes.add(
                label="" if classes is None else classes[row, column].decode(errors="replace"),
                score=0.0 if scores is None else scores[row, column],
            )
    return result


def regression_result(
    outputs: Mapping[str, np.ndarray], examples: int
) -> regression_pb2.RegressionResult:
    """Makes a message of a regressor's `outputs`, as `classification_result` does."""
    values = outputs[REGRESSOR_OUTPUT]
    if values.ndim != 1 and values.shape[1:] != (1,):
        raise invalid_argument(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] "
            f"but got {shape_text(values.shape)}"
        )
    if len(values) != examples:
        raise invalid_argument(
            f"Input batch size did not match output batch size: {examples} vs. {len(values)}"
        )
    if values.dtype != np.float32:
        raise invalid_argument(f"Expected output Tensor of DT_FLOAT.  Got: {_dtype_name(values)}")
    result = regression_pb2.RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add(value=value)
    return result


def _signature_name(servable: Servable, model_spec: model_pb2.ModelSpec) -> str:
    name = model_spec.signature_name or DEFAULT_SIGNATURE
    if name not in servable.signatures:
        raise invalid_argument(f"No signature was found with the name: {name}")
    return name


def _check_method_name(
    servable: Servable, signature: meta_graph_pb2.SignatureDef, expected: str, kind: str
) -> None:
    if servable.check_method_names and signature.method_name != expected:
        raise invalid_argument(
            f"Expected {kind} signature method_name to be {expected}. Was: {signature.method_name}"
        )


def _check_one_input(signature: meta_graph_pb2.SignatureDef) -> None:
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")


def _check_input_name(signature: meta_graph_pb2.SignatureDef, kind: str) -> None:
    if _INPUT not in signature.inputs:
        raise ServingError(
            "FAILED_PRECONDITION", f"No {kind} inputs found in SignatureDef: {signature}"
        )


def _check_class_outputs(outputs: Mapping[str, np.ndarray], examples: int) -> None:
    for name, array in outputs.items():
        expected = {"classes": "DT_STRING", "scores": "DT_FLOAT"}[name]
        if array.ndim != 2:
            raise invalid_argument(
                "Expected Tensor shape: [batch_size num_classes] but got " + shape_text(array.shape)
            )
        if _dtype_name(array) != expected:
            raise invalid_argument(
                f"Expected {name} Tensor of {expected}. Got: {_dtype_name(array)}"
            )
        if len(array) != examples:
            raise invalid_argument(
                f"Expected {name} output batch size of {examples}. Got: {len(array)}"
            )
    widths = [array.shape[1] for array in outputs.values()]
    if len(set(widths)) > 1:
        raise invalid_argument(
            f"Tensors class and score should match in dim_size(1). Got {widths[0]} vs. {widths[1]}"
        )


def _dtype_name(array: np.ndarray) -> str:
    kind = tf.string if array.dtype == object else array.dtype
    return types_pb2.DataType.Name(tf.as_dtype(kind).as_datatype_enum)
