"""Options, and the small files that some of them name."""

import shutil
import subprocess

import grpc
import pytest
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from zoo.serving.errors import ServingError
from zoo.serving.lifecycle.config import single_model
from zoo.serving.lifecycle.loader import Loader
from zoo.serving.metrics import Metrics
from zoo.serving.options import Options
from zoo.serving.server import Server


def test_batching_is_off_unless_it_is_switched_on(tmp_path):
    file = tmp_path / "batching.config"
    file.write_text("max_batch_size { value: 7 }")
    assert Options().batching_parameters() is None
    assert Options(enable_batching=True).batching_parameters().max_batch_size == 1000
    parameters = Options(enable_batching=True, batching_parameters_file=file)
    assert parameters.batching_parameters().max_batch_size == 7
    with pytest.raises(ServingError, match="batching_parameters_file is set without setting"):
        Options(batching_parameters_file=file).batching_parameters()


def test_channel_arguments():
    options = Options(grpc_channel_arguments="grpc.max_connection_age_ms=2000,a=b=c,n=-1")
    assert options.grpc_arguments() == [
        ("grpc.max_connection_age_ms", 2000),
        ("a", "b=c"),
        ("n", -1),
    ]
    assert Options().grpc_arguments() == []
    with pytest.raises(ServingError, match=r"key=value pairs.*Received: ab"):
        Options(grpc_channel_arguments="ab").grpc_arguments()


def test_threads_of_a_session(tmp_path):
    def threads(**flags):
        config = Options(**flags).session_config()
        return config.intra_op_parallelism_threads, config.inter_op_parallelism_threads

    assert threads() == (0, 0)
    assert threads(tensorflow_session_parallelism=3) == (3, 3)
    assert threads(tensorflow_session_parallelism=3, tensorflow_inter_op_parallelism=2) == (3, 2)
    file = tmp_path / "session.config"
    file.write_text("intra_op_parallelism_threads: 5 inter_op_parallelism_threads: 6")
    assert threads(tensorflow_session_config_file=file) == (5, 6)
    assert threads(tensorflow_session_config_file=file, tensorflow_intra_op_parallelism=1) == (1, 6)


def test_the_check_of_method_names_reaches_the_model(models):
    for checked in (False, True):
        loader = Loader(Options(enable_signature_method_name_check=checked), Metrics(), None)
        servable = loader("half", models / "half" / "123")
        assert servable.check_method_names is checked
        servable.close()


def test_an_ssl_file_without_its_key(tmp_path):
    file = tmp_path / "ssl.config"
    file.write_text('server_cert: "x"')
    with pytest.raises(ServingError, match="must give server_key and server_cert"):
        Options(ssl_config_file=file).grpc_credentials()


def status(channel) -> int:
    """The state of the model `half`, asked for over gRPC."""
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "half"
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    return stub.GetModelStatus(request, timeout=20).model_version_status[0].state


@pytest.mark.skipif(not shutil.which("openssl"), reason="needs openssl to make a certificate")
def test_grpc_over_tls_and_over_a_unix_socket(models, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    ssl = tmp_path / "ssl.config"
    ssl.write_text(f"server_key: {quoted(key)} server_cert: {quoted(certificate)}")
    socket = tmp_path / "grpc.sock"
    options = Options(port=0, rest_api_port=None, grpc_socket_path=str(socket), ssl_config_file=ssl)
    with Server(single_model("half", str(models / "half")), options) as server:
        credentials = grpc.ssl_channel_credentials(certificate.read_bytes())
        with grpc.secure_channel(f"localhost:{server.port}", credentials) as channel:
            assert status(channel) == 30
        with grpc.insecure_channel(f"unix:{socket}") as channel:
            assert status(channel) == 30
        with (
            grpc.insecure_channel(f"localhost:{server.port}") as channel,
            pytest.raises(grpc.RpcError),
        ):
            status(channel)


def quoted(path) -> str:
    """A file's lines as the string literals that protobuf's text form joins."""
    return " ".join(f"'{line}\\n'" for line in path.read_text().splitlines())
