"""Which models to serve: from the flags, or from TensorFlow Serving's model config file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tensorflow_serving.config import model_server_config_pb2

from zoo.serving.errors import ServingError, invalid_argument
from zoo.serving.text_protos import parse_text

_PLATFORM = "tensorflow"


@dataclass(frozen=True)
class ModelConfig:
    """One model and the versions of it to serve.

    Attributes:
        name: What clients call it.
        base_path: Directory whose numbered children are the versions; a string is taken, too.
        latest: How many of the highest versions to serve; 0 for all of them.
        specific: If not empty, exactly these versions.
        labels: Label -> version.
        platform: What runs the model; only "tensorflow" can be served.
    """

    name: str
    base_path: Path
    latest: int = 1
    specific: tuple[int, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)
    platform: str = _PLATFORM

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_path", Path(self.base_path))

    def choose(self, versions: set[int]) -> set[int]:
        """The versions to serve of those that are there."""
        if self.specific:
            return versions & set(self.specific)
        return set(sorted(versions)[-self.latest :]) if self.latest else versions


def single_model(name: str, base_path: str) -> dict[str, ModelConfig]:
    """Makes the configuration that `--model_name` and `--model_base_path` stand for.

    Raises:
        ServingError: INVALID_ARGUMENT if the path is not absolute.
    """
    return {name: ModelConfig(name, _absolute(name, base_path))}


def read_config_file(path: Path, *, again: bool = False) -> dict[str, ModelConfig]:
    """Reads a `ModelServerConfig` in protobuf's text form.

    Args:
        path: The path of the file.
        again: Whether models of it are served already. A file without any list of models is then
            refused: so it looks for a moment while it is written anew. To unload all models, it
            says `model_config_list {}`.

    Returns:
        Model name -> configuration.

    Raises:
        ServingError: The file cannot be read, or says something that cannot be served.
    """
    config = parse_text(path, model_server_config_pb2.ModelServerConfig())
    if again and not config.WhichOneof("config"):
        raise ServingError(
            "FAILED_PRECONDITION",
            "Cannot transition to requested config. It is only legal to transition from one "
            "ModelConfigList to another.",
        )
    return read_config(config)


def read_config(config: model_server_config_pb2.ModelServerConfig) -> dict[str, ModelConfig]:
    """Checks a `ModelServerConfig` message and turns it into `ModelConfig`s by name.

    Whether their platforms can be served, `check_platforms` tells.

    Raises:
        ServingError: The configuration cannot be served; with TensorFlow Serving's message.
    """
    if config.WhichOneof("config") == "custom_model_config":
        raise ServingError("UNIMPLEMENTED", "custom_model_config is not supported.")
    models: dict[str, ModelConfig] = {}
    for model in config.model_config_list.config:
        if model.name in models:
            raise invalid_argument(
                f"Illegal to list model {model.name} multiple times in config list"
            )
        models[model.name] = _model_config(model)
    return models


def check_platforms(configs: Mapping[str, ModelConfig], current: Mapping[str, ModelConfig]) -> None:
    """Checks that every model can be served, and by what served it so far.

    Args:
        configs: Model name -> configuration that shall be served.
        current: The configuration of what is served.

    Raises:
        ServingError: INVALID_ARGUMENT for another platform than TensorFlow, or a change of it.
    """
    for name, config in configs.items():
        before = current.get(name, config).platform
        if before != config.platform:
            raise invalid_argument(
                f"Illegal to change a model's platform. For model {name} platform was {before} and "
                f"new platform requested is {config.platform}"
            )
    for name, config in configs.items():
        if config.platform != _PLATFORM:
            raise invalid_argument(f"Model {name} requests unsupported platform {config.platform}")


def _platform_of(model: model_server_config_pb2.ModelConfig) -> str:
    if model.model_type and model.model_platform:
        raise invalid_argument(
            "Illegal setting both ModelServerConfig::model_type (deprecated) and "
            f"ModelServerConfig::model_platform, model name is {model.name}"
        )
    if not model.model_type and not model.model_platform:
        raise invalid_argument(
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
            f"ModelServerConfig::model_platform, model name is {model.name}"
        )
    if model.model_type and model.model_type != model_server_config_pb2.TENSORFLOW:
        raise invalid_argument(
            f"ModelServerConfig::model_type choice {model.model_type} not supported."
        )
    return model.model_platform or _PLATFORM


def _model_config(model: model_server_config_pb2.ModelConfig) -> ModelConfig:
    policy = model.model_version_policy
    latest = {None: 1, "latest": policy.latest.num_versions or 1}.get(
        policy.WhichOneof("policy_choice"), 0
    )
    specific = tuple(policy.specific.versions)
    if policy.HasField("specific") and not specific:
        raise invalid_argument(
            "No specific versions provided in the model_version_policy of model " + model.name
        )
    return ModelConfig(
        name=model.name,
        base_path=_absolute(model.name, model.base_path),
        latest=latest,
        specific=specific,
        labels=dict(model.version_labels),
        platform=_platform_of(model),
    )


def _absolute(name: str, base_path: str) -> Path:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", base_path):
        raise ServingError(
            "UNIMPLEMENTED",
            f"Model {name}: only local directories can be served. Received: base_path={base_path}",
        )
    if not Path(base_path).is_absolute():
        raise invalid_argument(
            f"Expected model {name} to have an absolute path or URI; got base_path()={base_path}"
        )
    return Path(base_path)
