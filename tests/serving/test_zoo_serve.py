"""The command line: flags, the start-up lines, presets, the config file read again."""

import json
import socket
import sys
import time
from types import ModuleType, SimpleNamespace

import keras
import numpy as np
import pytest
from click.testing import CliRunner

import zoo
import zoo.serving.presets
from tests import corpus
from tests.serving.fixture_models import save_half
from tests.serving.rest_client import Client
from zoo import export
from zoo.serving.__main__ import _sample, _say_where, main
from zoo.serving.errors import ServingError
from zoo.serving.flags import IGNORED, NOT_BUILT
from zoo.serving.lifecycle.config import ModelConfig
from zoo.serving.options import Options
from zoo.serving.presets import Presets, export_in_a_child
from zoo.serving.server import Server


def run(*args):
    return CliRunner().invoke(main, args)


def preset_models(names, repository, report):
    """The presets' configurations, everything exported."""
    presets = Presets(names, repository, report)
    for config in presets.models.values():
        presets.export_if_missing(config)
    return presets.models


def export_quickly(given, base_path):
    return export.saved_model(zoo.load(given), base_path, verify=False)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Nothing to serve"),
        (["nmt", "--model_base_path=/m"], "Presets cannot be combined"),
        (["--model_base_path=/m", "--model_repository=/r"], "--model_repository is for presets"),
        (["--model_base_path=/m", "--port=8501"], "--port and --rest_api_port must differ"),
        (["--model_base_path=/m", "--port=0", "--rest_api_port=0"], "one must be open"),
        (["--model_base_path=/m", "--prefer_tflite_model"], "does not have"),
        (["--model_base_path=/m", "--platform_config_file=/p"], "does not have"),
        (["--model_base_path=/m", "--rest_api_prot=1"], "'--rest_api_port'"),
        (["--model_base_path=/m", "--port=99999"], "99999"),
        (["--model_base_path=/m", "--enable_batching=perhaps"], "not a valid boolean"),
    ],
)
def test_flags_that_are_refused(args, message):
    result = run(*args)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--model_base_path=models/half"], "have an absolute path or URI"),
        (["--model_config_file=/nowhere/models.config"], "Cannot read ModelServerConfig file"),
        (
            ["--model_base_path=/m", "--batching_parameters_file=/b"],
            "batching_parameters_file is set without setting enable_batching to true",
        ),
        (
            ["--model_base_path=/m", "--enable_batching", "--batching_parameters_file=/none"],
            "Cannot read BatchingParameters file /none",
        ),
        (
            ["--model_base_path=/m", "--monitoring_config_file=/none"],
            "Cannot read MonitoringConfig file /none",
        ),
        (
            ["--model_base_path=/m", "--tensorflow_session_config_file=/none"],
            "Cannot read ConfigProto file /none",
        ),
    ],
)
def test_configurations_that_are_refused(args, message):
    result = run(*args)
    assert result.exit_code == 1
    assert "Failed to start server. Error:" in result.output
    assert message in result.output


def test_ports_and_model_name_unless_told():
    given = main.make_context("zoo-serve", ["--model_base_path=/m"]).params
    assert (given["model_name"], given["port"], given["rest_api_port"]) == ("default", 8500, 8501)


def test_help_names_the_flags():
    text = run("--help").output
    for flag in ("--rest_api_port", "--model_base_path", "--file_system_poll_wait_seconds"):
        assert flag in text
    assert not any(f"--{name} " in text for name in (*NOT_BUILT, *IGNORED))


def test_a_model_that_cannot_be_loaded_ends_the_start(tmp_path):
    (tmp_path / "1").mkdir()
    result = run(f"--model_base_path={tmp_path}", "--port=0", "--rest_api_port=1")
    assert result.exit_code == 1
    assert "servable(s) did not become available" in result.output


def test_a_taken_port_is_named(models):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for flags, other in (("rest_api_port", "port"), ("port", "rest_api_port")):
            result = run(
                f"--model_base_path={models / 'half'}", f"--{flags}={port}", f"--{other}=0"
            )
            assert result.exit_code == 1
            assert f"127.0.0.1:{port}" in result.output
            assert f"Choose another --{flags}" in result.output


def test_the_config_file_is_read_again(models, tmp_path):
    config = tmp_path / "models.config"
    entry = "config {{ name: '{}' base_path: '{}' model_platform: 'tensorflow' }}"

    def write(*names):
        entries = [entry.format(name, models / name) for name in names]
        config.with_suffix(".new").write_text(f"model_config_list {{ {' '.join(entries)} }}")
        config.with_suffix(".new").replace(config)

    def eventually_names(expected):
        deadline = time.monotonic() + 20
        while server.registry.names() != expected:
            assert time.monotonic() < deadline, server.registry.names()
            time.sleep(0.05)

    write("half")
    half = {"half": ModelConfig("half", models / "half")}
    options = Options(port=None, rest_api_port=0, model_config_file_poll_wait_seconds=0.1)
    with Server(half, options, config) as server:
        write("half", "i64")
        eventually_names(["half", "i64"])
        for garbage in ("garbage {{{", "\xff", "", "model_config_list { config { name: 'x' } }"):
            config.write_text(garbage, encoding="latin-1")
            time.sleep(0.25)
            assert server.registry.names() == ["half", "i64"]
        write("i64")
        eventually_names(["i64"])
        server.registry.configure(half)  # as over gRPC; the file is in force at the next look
        eventually_names(["i64"])


def test_a_file_that_names_a_model_without_versions_does_not_block_the_next(models, tmp_path):
    config = tmp_path / "models.config"
    entry = "config {{ name: '{}' base_path: '{}' model_platform: 'tensorflow' }}"
    half = {"half": ModelConfig("half", models / "half")}
    options = Options(port=None, rest_api_port=0, model_config_file_poll_wait_seconds=0.1)
    with Server(half, options, config) as server:
        config.write_text(f"model_config_list {{ {entry.format('none', tmp_path / 'none')} }}")
        deadline = time.monotonic() + 20
        while server.registry.names() != ["none"]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        config.write_text(f"model_config_list {{ {entry.format('i64', models / 'i64')} }}")
        while True:
            try:
                with server.registry.acquire("i64"):
                    break
            except ServingError:
                assert time.monotonic() < deadline
                time.sleep(0.02)


def test_flags_that_only_tune_tensorflow_serving_are_accepted():
    result = run("--model_base_path=relative", *(f"--{name}=1" for name in IGNORED))
    assert (result.exit_code, "absolute path" in result.output) == (1, True)


def test_a_wider_address_is_said(server, capsys):
    stand_in = SimpleNamespace(
        options=Options(host="0.0.0.0"),
        registry=server.registry,
        port=8500,
        rest_api_port=8501,
    )
    _say_where(stand_in, ["half"])
    lines = capsys.readouterr().out
    assert "gRPC at localhost:8500" in lines
    assert "Listening on 0.0.0.0: whoever can reach this machine can use the models." in lines


def test_samples_fit_the_first_signature(server):
    assert _sample(server, "half") == '{"instances": [1.0]}'
    assert _sample(server, "echo") == '{"instances": ["A dog runs."]}'
    assert _sample(server, "multi") == '{"instances": [{"a": 1, "s": "A dog runs."}]}'


def test_a_preset_over_rest(tokenizer, tmp_path, monkeypatch):
    """From `zoo.save` to an answer: the same translation as the model's own."""
    monkeypatch.setattr(zoo.serving.presets, "export_in_a_child", export_quickly)
    keras.utils.set_random_seed(5)
    model = corpus.tiny_attention(tokenizer)
    zoo.save(model, tmp_path / "tiny", half=False)
    models = preset_models([str(tmp_path / "tiny")], tmp_path / "repository", print)
    with Server(models, Options(port=None, rest_api_port=0)) as server:
        client = Client(server.rest_api_port)
        texts = ["A dog runs in the snow.", "", "zwölf 🐕"]
        predictions = client.predict("tiny", {"instances": texts}).json["predictions"]
        expected = model.translate(texts)
        assert [row["translation"] for row in predictions] == expected
        body = {"signature_name": "attention", "inputs": texts}
        outputs = client.predict("tiny", body).json["outputs"]
        assert outputs["translation"] == expected
        assert np.shape(outputs["attention"])[0] == 3
        assert client.predict("tiny", {"inputs": []}).json == {
            "outputs": {"low_confidence": [], "score": [], "translation": []}
        }
        hard = (
            b'{"signature_name": "beam", "inputs": [" ", "\xff\xfe", "\\u0000", {"b64": "/w=="}]}'
        )
        assert np.shape(client.predict("tiny", hard).json["outputs"]["translations"]) == (4, 5)
        long = client.predict("tiny", {"instances": ["A dog.", "word " * 10_000]})
        assert long.status == 400
        assert "at most 512 sub-words in each sentence" in long.error
        with pytest.raises(ValueError, match="sub-words in each sentence") as caught:
            model.translate(["A dog.", "word " * 10_000])
        assert long.error == str(caught.value)
        assert "Traceback" not in long.error
        assert client.predict("tiny", {"instances": [5]}).error.endswith("expected type: string")
        (version,) = client("GET", "/v1/models/tiny").json["model_version_status"]
        assert (version["version"], version["state"]) == ("1", "AVAILABLE")
        metadata = client("GET", "/v1/models/tiny/metadata").json["metadata"]["signature_def"]
        assert metadata["signature_def"].keys() >= {"serving_default", "attention", "beam"}


@pytest.fixture
def fake_zoo(monkeypatch, tmp_path):
    """Stand-ins for the zoo and its exporter, so that no preset is needed."""
    exported = []
    presets, registry = map(ModuleType, ("zoo.presets", "zoo.registry"))
    monkeypatch.setattr(zoo, "__file__", str(tmp_path / "zoo" / "__init__.py"))
    registry.ENTRY_POINTS = "rnn_zoo.models"
    (tmp_path / "zoo" / "models").mkdir(parents=True)
    (tmp_path / "zoo" / "models" / "nmt.py").write_text("print('1')")
    presets.CONFIG, presets.preset_folder = "config.json", (tmp_path / "presets").joinpath
    presets.list_models = lambda: ["nmt"]
    presets.read_config = lambda given: json.loads(
        (tmp_path / "presets" / given / "config.json").read_text()
    )
    (tmp_path / "presets" / "nmt").mkdir(parents=True)
    (tmp_path / "presets" / "nmt" / "config.json").write_text("{}")

    def export_in_a_child(given, base_path):
        exported.append((f"model {given}", base_path))
        taken = [int(path.name) for path in base_path.glob("[0-9]*")]
        folder = base_path / str(max(taken, default=0) + 1)
        save_half(folder)
        return folder

    monkeypatch.setattr(zoo.serving.presets, "export_in_a_child", export_in_a_child)
    for module in (presets, registry):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return exported


def test_presets_are_exported_once(fake_zoo, tmp_path):
    lines = []
    for _ in range(2):
        models = preset_models(("nmt",), tmp_path / "repository", lines.append)
        assert models == {"nmt": ModelConfig("nmt", tmp_path / "repository" / "nmt")}
    assert fake_zoo == [("model nmt", tmp_path / "repository" / "nmt")]
    assert len(lines) == 1


def test_a_preset_that_has_changed_becomes_the_next_version(fake_zoo, tmp_path):
    lines = []
    repository, config = tmp_path / "repository", tmp_path / "presets" / "nmt" / "config.json"

    def versions():
        preset_models(("nmt",), repository, lines.append)
        return sorted(path.name for path in (repository / "nmt").iterdir())

    assert versions() == versions() == ["1"]
    config.write_text('{"version": 2}')
    assert versions() == versions() == ["1", "2"]
    assert "has changed since version 1 was made" in lines[-1]
    config.write_text("{}")  # the first one again: the newest version decides
    assert versions() == versions() == ["1", "2", "3"]
    (repository / "nmt" / "3" / "assets.extra" / "zoo_preset_fingerprint").unlink()
    assert versions() == versions() == ["1", "2", "3", "4"]
    assert "version 3 does not tell what it was made from" in lines[-1]
    assert len(lines) == len(fake_zoo) == 4


def test_versions_of_a_preset_that_is_gone_are_served(fake_zoo, tmp_path, monkeypatch):
    lines = []
    preset_models(("nmt",), tmp_path / "repository", lines.append)
    monkeypatch.setattr(sys.modules["zoo.presets"], "list_models", list)
    models = preset_models(("nmt",), tmp_path / "repository", lines.append)
    assert models == {"nmt": ModelConfig("nmt", tmp_path / "repository" / "nmt")}
    assert (len(fake_zoo), len(lines)) == (1, 2)
    assert "nmt is gone" in lines[-1]


def test_a_model_saved_over_another_is_served_after_a_restart(tmp_path, monkeypatch):
    """Its version stands beside the old one, under the same name."""
    monkeypatch.setattr(zoo.serving.presets, "export_in_a_child", export_quickly)
    folder, repository = tmp_path / "tiny", tmp_path / "repository"
    texts, seen = ["The film was good.", "A dull plot."], []
    for seed, version in ((1, "1"), (2, "2")):
        keras.utils.set_random_seed(seed)
        model = corpus.loud(corpus.tiny_sentiment(readout="average", bidirectional=False))
        zoo.save(model, folder, overwrite=True, half=False)
        seen.append([list(row.probabilities.values()) for row in model.classify(texts)])
        for _ in range(2):  # the second start exports nothing
            models = preset_models([str(folder)], repository, print)
            with Server(models, Options(port=None, rest_api_port=0)) as server:
                client = Client(server.rest_api_port)
                rows = client.predict("tiny", {"instances": texts}).json["predictions"]
                probabilities = [row["probabilities"] for row in rows]
                np.testing.assert_allclose(probabilities, seen[-1], rtol=1e-4)
                (status,) = client("GET", "/v1/models/tiny").json["model_version_status"]
                assert status["version"] == version
    assert sorted(path.name for path in (repository / "tiny").iterdir()) == ["1", "2"]
    assert not np.allclose(*seen, rtol=1e-2)


def test_a_preset_that_does_not_exist(tmp_path):
    result = run("nmt_atention", f"--model_repository={tmp_path}")
    assert result.exit_code == 1
    assert "Preset nmt_atention cannot be served" in result.output


def test_a_newer_preset_or_zoo_is_exported_anew(fake_zoo, tmp_path):
    def export() -> ModelConfig:
        return preset_models(("nmt",), None, str)["nmt"]

    first = export()
    assert first.base_path.parent == tmp_path / "cache" / "rnn-zoo" / "served-models"
    assert export() == first
    (tmp_path / "presets" / "nmt" / "config.json").write_text('{"version": 2}')
    second = export()
    assert second.base_path != first.base_path
    (tmp_path / "zoo" / "models" / "nmt.py").write_text("print('2')")
    assert export().base_path not in (first.base_path, second.base_path)
    assert len(fake_zoo) == 3


@pytest.mark.parametrize("layout", ["package", "module"])
def test_a_newer_package_of_the_users_own_is_exported_anew(fake_zoo, tmp_path, monkeypatch, layout):
    folder = tmp_path / "site" / "my_models"
    folder.mkdir(parents=True)
    changed = {"package": folder / "layers.py", "module": folder / "my_models.py"}[layout]
    main_file = {"package": folder / "__init__.py", "module": changed}[layout]
    main_file.write_text("")
    changed.write_text("print('1')")
    package = tmp_path / "site" / "my_models-1.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: my_models\nVersion: 1\n")
    (package / "entry_points.txt").write_text("[rnn_zoo.models]\ndates = my_models:Dates\n")
    monkeypatch.syspath_prepend({"package": folder.parent, "module": folder}[layout])
    if layout == "module":
        package.rename(folder / package.name)
    config = {"model": "dates", "package": "my-models"}
    (tmp_path / "presets" / "nmt" / "config.json").write_text(json.dumps(config))
    first = preset_models(("nmt",), None, str)["nmt"]
    assert preset_models(("nmt",), None, str)["nmt"] == first
    changed.write_text("print('2')")
    assert preset_models(("nmt",), None, str)["nmt"] != first
    assert len(fake_zoo) == 2


def test_a_package_that_is_not_installed(fake_zoo, tmp_path):
    config = {"model": "dates", "package": "my-models"}
    (tmp_path / "presets" / "nmt" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ServingError, match=r"Preset nmt cannot be served: .*'my-models'"):
        Presets(("nmt",), None, str)


def test_an_export_in_a_process_of_its_own(tmp_path):
    """Its version is there and verified, and what it refuses is told in its own words."""
    zoo.save(corpus.tiny_sentiment(), tmp_path / "tiny")
    version = export_in_a_child(str(tmp_path / "tiny"), tmp_path / "models")
    assert version == tmp_path / "models" / "1"
    assert (version / "saved_model.pb").is_file()
    (tmp_path / "tiny" / "model.weights.h5").write_bytes(b"damaged")
    with pytest.raises(ServingError) as caught:
        export_in_a_child(str(tmp_path / "tiny"), tmp_path / "models")
    assert caught.value.message.startswith(f"Preset {tmp_path / 'tiny'} cannot be served: ")
    assert "model.weights.h5 is damaged or was changed" in caught.value.message
    assert "Traceback" not in caught.value.message


def test_two_presets_of_one_name(fake_zoo, tmp_path):
    with pytest.raises(ServingError, match=r"served as nmt; .* Received: nmt elsewhere/nmt"):
        preset_models(("nmt", "elsewhere/nmt"), tmp_path / "repository", str)
