"""The model config file: what it may look like, and what is refused."""

import pytest

from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import (
    ModelConfig,
    check_platforms,
    read_config_file,
    single_model,
)


def read(tmp_path, text):
    path = tmp_path / "models.config"
    path.write_text(text)
    return read_config_file(path)


def test_every_freedom_of_the_text_form(tmp_path):
    models = read(
        tmp_path,
        """
        # several models
        model_config_list: {
          config {
            name: "two",  base_path: '/models/two'; model_platform: "tensorflow"
            model_version_policy { specific { versions: 1 versions: 2 } }
            version_labels { key: "stable" value: 1 }
            version_labels: { key: 'canary', value: 2 }
          }
          config: <name: "all" base_path: "/models/all" model_platform: "tensorflow"
                   model_version_policy: { all {} }>
          config { name: 'last' base_path: '/m' model_type: TENSORFLOW
                   model_version_policy { latest { num_versions: 3 } } }
        }
        """,
    )
    two, every, last = models["two"], models["all"], models["last"]
    assert (two.specific, dict(two.labels)) == ((1, 2), {"stable": 1, "canary": 2})
    assert str(two.base_path) == "/models/two"
    assert every.choose({1, 2, 3}) == {1, 2, 3}
    assert last.choose({1, 2, 3, 4}) == {2, 3, 4}


def test_the_latest_version_is_the_default_policy():
    config = single_model("m", "/models/m")["m"]
    assert isinstance(config, ModelConfig)
    assert config.choose({1, 2, 10}) == {10}
    assert config.choose(set()) == set()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("name: 'm' base_path: 'models/m' model_platform: 'tensorflow'",
         "Expected model m to have an absolute path or URI; got base_path()=models/m"),
        ("name: 'm' base_path: '/m'",
         "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
         "ModelServerConfig::model_platform, model name is m"),
        ("name: 'm' base_path: '/m' model_platform: 'tensorflow' model_type: TENSORFLOW",
         "Illegal setting both ModelServerConfig::model_type"),
        ("name: 'm' base_path: 'gs://bucket/m' model_platform: 'tensorflow'",
         "only local directories"),
        ("name: 'm' base_path: '/m' model_platform: 'tensorflow' "
         "model_version_policy { specific {} }", "No specific versions"),
        ("name: 'm' base_path: '/m' model_platform: 'tensorflow' } config { name: 'm' "
         "base_path: '/n' model_platform: 'tensorflow'",
         "Illegal to list model m multiple times in config list"),
        ("name: 'm' base_path: '/m' model_type: OTHER",
         "ModelServerConfig::model_type choice 2 not supported."),
        ("nome: 'm'", "Invalid protobuf file"),
    ],
)  # fmt: skip
def test_model_configs_that_are_refused(tmp_path, config, message):
    with pytest.raises(ServingError) as caught:
        read(tmp_path, f"model_config_list {{ config {{ {config} }} }}")
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        (
            "improper model config",
            '1:1: Message type "tensorflow.serving.ModelServerConfig" has no',
        ),
        (
            "model_config_list {\n  config { nome: 'm' } }",
            '2:12: Message type "tensorflow.serving.',
        ),
        ("model_config_list {\n  config { name: 'm'", '2:18: Expected "}".'),
        (
            "model_config_list { config { base_path: 5 } }",
            "1:41: 'model_config_list { config { base_path: 5 } }': Expected string",
        ),
    ],
)
def test_where_a_file_does_not_parse_is_told(tmp_path, text, explanation):
    with pytest.raises(ServingError) as caught:
        read(tmp_path, text)
    assert caught.value.code == "INVALID_ARGUMENT"
    assert caught.value.message.startswith(
        f"Invalid protobuf file: '{tmp_path / 'models.config'}'. "
        f"Error parsing text-format tensorflow.serving.ModelServerConfig: {explanation}"
    )


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ServingError, match="Cannot read ModelServerConfig file"):
        read_config_file(tmp_path / "none.config")
    (tmp_path / "binary.config").write_bytes(b"\xff\xfe")
    with pytest.raises(ServingError, match="Cannot read ModelServerConfig file"):
        read_config_file(tmp_path / "binary.config")


def test_an_emptied_file_is_not_a_list_without_models(tmp_path):
    """A file that is written anew in its place is empty for a moment."""
    path = tmp_path / "models.config"
    path.write_text("# nothing yet\n")
    assert read_config_file(path) == {}
    with pytest.raises(ServingError, match="Cannot transition to requested config") as caught:
        read_config_file(path, again=True)
    assert caught.value.code == "FAILED_PRECONDITION"
    path.write_text("model_config_list {}")
    assert read_config_file(path, again=True) == {}


def test_custom_configs_are_not_supported(tmp_path):
    with pytest.raises(ServingError, match="custom_model_config is not supported"):
        read(tmp_path, "custom_model_config {}")


def test_other_platforms_are_refused(tmp_path):
    text = "model_config_list {{ config {{ name: 'm' base_path: '/m' {} }} }}"
    other = read(tmp_path, text.format("model_platform: 'torch'"))
    with pytest.raises(ServingError, match="Model m requests unsupported platform"):
        check_platforms(other, {})
    good = read(tmp_path, text.format("model_platform: 'tensorflow'"))
    check_platforms(good, good)
    with pytest.raises(ServingError, match=r"Illegal to change a model's platform. For model m"):
        check_platforms(other, good)
