"""MultiInference: several classifiers and regressors of one model on the same examples."""

from tensorflow_serving.apis import inference_pb2

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.inference.classify import (
    CLASSIFY,
    REGRESS,
    REGRESSOR_OUTPUT,
    check_classification,
    check_regression,
    classification_result,
    classifier_outputs,
    regression_result,
    serialized_examples,
)
from zoo.serving.inference.servable import DEFAULT_SIGNATURE, Servable


def run_multi_inference_request(
    servable: Servable, request: inference_pb2.MultiInferenceRequest, timeout_ms: int = 0
) -> list[inference_pb2.InferenceResult]:
    """Runs all tasks of a request on its examples, in one run of the graph.

    Args:
        servable: The model version that all tasks name.
        request: Its tasks must use different signatures. Each of their inputs, which may be
            different tensors, is fed with the same serialized examples.
        timeout_ms: Milliseconds after which the run is given up; 0 waits for ever.

    Returns:
        A result for each task, `model_spec` filled in with its name and signature.

    Raises:
        ServingError: A task is not what it should be, or the run failed.
    """
    names = _checked_signatures(servable, request)
    inputs = serialized_examples(request.input)
    # For each task: output -> tensor. Signatures may share tensors.
    wanted = [
        _output_tensors(servable, name, task.method_name)
        for task, name in zip(request.tasks, names, strict=True)
    ]
    tensors = sorted({tensor for outputs in wanted for tensor in outputs.values()})
    feeds = {_input_tensor(servable, name): inputs for name in names}
    arrays = servable.run_tensors(feeds, tensors, timeout_ms, "MultiInference")
    servable.observe_examples(len(inputs))
    values = dict(zip(tensors, arrays, strict=True))
    results = []
    for task, name, outputs in zip(request.tasks, names, wanted, strict=True):
        result = inference_pb2.InferenceResult()
        result.model_spec.name = task.model_spec.name
        result.model_spec.signature_name = name
        found = {output: values[tensor] for output, tensor in outputs.items()}
        if task.method_name == CLASSIFY:
            result.classification_result.CopyFrom(classification_result(found, len(inputs)))
        else:
            result.regression_result.CopyFrom(regression_result(found, len(inputs)))
        results.append(result)
    return results


def _checked_signatures(
    servable: Servable, request: inference_pb2.MultiInferenceRequest
) -> list[str]:
    """The signature of each task, in TensorFlow Serving's order of checks."""
    checks = {CLASSIFY: check_classification, REGRESS: check_regression}
    names: list[str] = []
    for task in request.tasks:
        if not task.model_spec.name:
            raise invalid_argument("Found ModelSpec with an empty model name.")
        if task.model_spec.name != request.tasks[0].model_spec.name:
            raise invalid_argument(
                "All ModelSpecs in a MultiInferenceRequest must access the same model name."
            )
        name = task.model_spec.signature_name or DEFAULT_SIGNATURE
        if name in names:
            raise invalid_argument(f"Duplicate evaluation of signature: {name}")
        if name not in servable.signatures:
            raise invalid_argument(f"Requested signature not found in model graph: {name}")
        if task.method_name not in checks:
            raise ServingError(
                "UNIMPLEMENTED", f"Unsupported signature method_name: {task.method_name}"
            )
        checks[task.method_name](servable, name)
        names.append(name)
    return names


def _output_tensors(servable: Servable, signature_name: str, method_name: str) -> dict[str, str]:
    signature = servable.signatures[signature_name]
    names = classifier_outputs(signature) if method_name == CLASSIFY else [REGRESSOR_OUTPUT]
    return {name: signature.outputs[name].name for name in names}


def _input_tensor(servable: Servable, signature_name: str) -> str:
    (tensor,) = servable.signatures[signature_name].inputs.values()
    return tensor.name
