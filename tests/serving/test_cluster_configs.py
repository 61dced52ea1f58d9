"""The files for Kubernetes, KServe and Prometheus: their fields, that they agree, that they work.

Fields are checked against Kubernetes' own schemas. KServe's and Prometheus' are not to be had as
small packages: what they share with a pod is checked as one, the rest by hand. Probes, labels and
metrics are tried on the embedded server, started with the very arguments of the Deployment.
"""

import re
import shutil
import time
from dataclasses import replace
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.serving.rest_client import Client
from zoo.serving.__main__ import main
from zoo.serving.batching.parameters import read_batching_parameters
from zoo.serving.errors import CODES
from zoo.serving.lifecycle.config import read_config_file
from zoo.serving.metrics import Metrics
from zoo.serving.options import Options
from zoo.serving.server import Server

FOLDER = Path(__file__).parents[2] / "serving" / "tf_serving"
KUBERNETES = "1.33"  # whose schemas are used
MODEL = "nmt_attention"


def documents(name):
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def check(document):
    """Against the schema of its kind; a field that Kubernetes does not have is an error."""
    kubernetes_validate.validate(document, KUBERNETES, strict=True)


@pytest.fixture(scope="module")
def objects():
    """Of kubernetes.yaml, by kind."""
    return {document["kind"]: document for document in documents("kubernetes.yaml")}


@pytest.fixture(scope="module")
def pod(objects):
    return objects["Deployment"]["spec"]["template"]


@pytest.fixture(scope="module")
def container(pod):
    (container,) = pod["spec"]["containers"]
    return container


@pytest.fixture(scope="module")
def runtime():
    (runtime,) = documents("kserve/serving_runtime.yaml")
    return runtime


@pytest.fixture(scope="module")
def scrape():
    """The jobs of prometheus.yaml by name."""
    (config,) = documents("prometheus.yaml")
    return {job["job_name"]: job for job in config["scrape_configs"]}


def probes(container):
    names = ("startupProbe", "livenessProbe", "readinessProbe")
    return {name: container[name]["httpGet"] for name in names if name in container}


# Fields.


def test_kubernetes_knows_every_field(objects):
    assert set(objects) == {"PersistentVolumeClaim", "Deployment", "Service", "PodDisruptionBudget"}
    for document in objects.values():
        check(document)


def test_the_check_of_fields_can_fail(objects):
    spec = objects["PodDisruptionBudget"]["spec"] | {"maxUnavailabel": 1}
    with pytest.raises(kubernetes_validate.ValidationError, match="maxUnavailabel"):
        check(objects["PodDisruptionBudget"] | {"spec": spec})


def test_what_kserve_shares_with_a_pod_is_right(runtime):
    pod = {key: runtime["spec"][key] for key in ("containers", "volumes")}
    check({"apiVersion": "v1", "kind": "Pod", "metadata": runtime["metadata"], "spec": pod})
    assert (runtime["apiVersion"], runtime["kind"]) == (
        "serving.kserve.io/v1alpha1",
        "ServingRuntime",
    )
    assert set(runtime["spec"]) == {
        "annotations",
        "containers",
        "protocolVersions",
        "supportedModelFormats",
        "volumes",
    }
    # KServe puts the model at /mnt/models of the container of this name.
    assert runtime["spec"]["containers"][0]["name"] == "kserve-container"
    assert "--model_base_path=/mnt/models" in runtime["spec"]["containers"][0]["args"]


def test_kserve_finds_runtime_and_model(runtime, objects):
    (service,) = documents("kserve/inference_service.yaml")
    assert (service["apiVersion"], service["kind"]) == (
        "serving.kserve.io/v1beta1",
        "InferenceService",
    )
    assert re.fullmatch("[a-z]([-a-z0-9]*[a-z0-9])?", service["metadata"]["name"])
    assert set(service["spec"]) == {"predictor"}
    assert set(service["spec"]["predictor"]) == {"minReplicas", "maxReplicas", "model"}
    model = service["spec"]["predictor"]["model"]
    assert set(model) == {"modelFormat", "protocolVersion", "runtime", "storageUri"}
    assert model["runtime"] == runtime["metadata"]["name"]
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]
    formats = [(each["name"], each["version"]) for each in runtime["spec"]["supportedModelFormats"]]
    assert (model["modelFormat"]["name"], model["modelFormat"]["version"]) in formats
    claim = objects["PersistentVolumeClaim"]["metadata"]["name"]
    assert model["storageUri"] == f"pvc://{claim}/{MODEL}"


# That they agree.


def test_ports_and_labels_match(objects, pod, container):
    labels = pod["metadata"]["labels"]
    for selector in (
        objects["Deployment"]["spec"]["selector"]["matchLabels"],
        objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        objects["Service"]["spec"]["selector"],
    ):
        assert selector.items() <= labels.items()
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}  # the image's entry point opens these
    for port in objects["Service"]["spec"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]
    assert {probe["port"] for probe in probes(container).values()} == {"rest"}


def test_volumes_hold_what_the_arguments_name(objects, pod, container):
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    mounted = {each["mountPath"]: volumes[each["name"]] for each in container["volumeMounts"]}
    claim = mounted["/models"]["persistentVolumeClaim"]["claimName"]
    assert claim == objects["PersistentVolumeClaim"]["metadata"]["name"]
    (kustomization,) = documents("kustomization.yaml")
    (generated,) = kustomization["configMapGenerator"]
    assert mounted["/config"]["configMap"]["name"] == generated["name"]
    assert kustomization["generatorOptions"]["disableNameSuffixHash"]
    assert kustomization["resources"] == ["kubernetes.yaml"]
    named = {Path(argument.split("=")[1]).name for argument in container["args"] if "/" in argument}
    assert named == set(generated["files"])
    assert all((FOLDER / name).is_file() for name in named)


def test_the_container_is_that_of_compose(container):
    service = documents("compose.yaml")[0]["services"]["tf_serving"]
    assert container["image"] == service["image"]
    extra = set(container["args"]) ^ set(service["command"])
    assert extra == {"--tensorflow_session_parallelism=2"}


def test_nothing_runs_as_root_or_writes(pod, container, runtime):
    assert pod["spec"]["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    for each in (container, runtime["spec"]["containers"][0]):
        assert each["securityContext"]["allowPrivilegeEscalation"] is False
        assert each["securityContext"]["capabilities"]["drop"] == ["ALL"]
    assert runtime["spec"]["containers"][0]["securityContext"]["runAsNonRoot"]


def test_threads_are_as_many_as_the_cores_asked_for(container, runtime):
    threads = read_batching_parameters(FOLDER / "batching.config").num_batch_threads
    for each in (container, runtime["spec"]["containers"][0]):
        assert each["resources"]["requests"]["cpu"] == str(threads)
        assert f"--tensorflow_session_parallelism={threads}" in each["args"]


def test_a_pod_leaves_the_service_before_it_ends(pod, container):
    wait = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert 0 < wait < pod["spec"]["terminationGracePeriodSeconds"]


def test_the_gpu_component_changes_what_is_there(container):
    (component,) = documents("gpu/kustomization.yaml")
    assert component["kind"] == "Component"
    (image,) = component["images"]
    name, tag = container["image"].split(":")
    assert (image["name"], image["newTag"]) == (name, f"{tag}-gpu")
    (patch,) = component["patches"]
    assert patch["target"] == {"kind": "Deployment", "name": "tf-serving"}
    (operation,) = yaml.safe_load(patch["patch"])
    parent, _, resource = operation["path"].rpartition("/")
    assert parent == "/spec/template/spec/containers/0/resources/limits"
    assert "limits" in container["resources"]
    assert resource == "nvidia.com~1gpu"


def test_prometheus_finds_the_pods(scrape, pod, container):
    job = scrape["tf_serving_pods"]
    assert job["kubernetes_sd_configs"] == [{"role": "pod"}]
    kept = {
        rule["source_labels"][0].removeprefix("__meta_kubernetes_pod_"): rule["regex"]
        for rule in job["relabel_configs"]
        if rule.get("action") == "keep"
    }
    label, port = kept["label_app_kubernetes_io_name"], kept["container_port_name"]
    assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == label
    assert port in {each["name"] for each in container["ports"]}


# That they work, on the embedded server.


@pytest.fixture(scope="module")
def run(container, models, tmp_path_factory):
    """Starts a server with the arguments of the Deployment: `(server, reload(config's name))`."""
    root = tmp_path_factory.mktemp("cluster")
    for config in read_config_file(FOLDER / "models-canary.config").values():
        for version in ("1", "2") if config.labels else ("1",):
            shutil.copytree(models / "two" / version, root / config.base_path.name / version)

    def config_file(name):
        text = (FOLDER / name).read_text().replace('"/models/', f'"{root}/')
        (root / name).write_text(text)
        return root / name

    arguments = [argument.replace("=/config/", f"={FOLDER}/") for argument in container["args"]]
    given = main.make_context("zoo-serve", arguments).params
    names = Options.__dataclass_fields__.keys() & given.keys()
    options = Options(**{name: given[name] for name in names} | {"saved_model_tags": ("serve",)})
    options = replace(options, port=None, rest_api_port=0)
    models_file = config_file(given["model_config_file"].name)
    with Server(read_config_file(models_file), options, models_file) as server:
        yield server, lambda name: server.registry.reload(read_config_file(config_file(name)))


@pytest.fixture
def call(run):
    return Client(run[0].rest_api_port)


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probes_pass_when_the_models_are_there(probe, container, runtime, call):
    assert call("GET", probes(container)[probe]["path"]).status == 200
    if probe != "startupProbe":  # KServe starts the other two late enough
        path = probes(runtime["spec"]["containers"][0])[probe]["path"]
        assert call("GET", path.replace("{{.Name}}", MODEL)).status == 200


def test_metrics_are_where_prometheus_looks(scrape, runtime, call):
    paths = {job["metrics_path"] for job in scrape.values()}
    paths.add(runtime["spec"]["annotations"]["prometheus.kserve.io/path"])
    assert len(paths) == 1
    reply = call("GET", *paths)
    assert (reply.status, reply.headers["Content-Type"].split(";")[0]) == (200, "text/plain")


def test_a_canary_is_rolled_out_and_back(run, call):
    def answer(path):
        return call("POST", f"/v1/models/{MODEL}{path}:predict", {"instances": [2.0]}).json

    _, reload = run
    assert answer("") == {"predictions": [4.0]}  # the latest is served
    reload("models-canary.config")
    assert answer("/labels/stable") == {"predictions": [3.0]}
    assert answer("/labels/canary") == answer("") == {"predictions": [4.0]}
    reload("models.config")
    assert "Unrecognized" in answer("/labels/stable")["error"]


def test_a_pod_without_its_model_is_not_ready_but_alive(run, container, call):
    server, reload = run
    server.registry.reload({})
    give_up = time.monotonic() + 20
    while call("GET", probes(container)["readinessProbe"]["path"]).status != 404:
        assert time.monotonic() < give_up
    assert call("GET", probes(container)["livenessProbe"]["path"]).status == 200
    reply = call.predict(MODEL, {"instances": [1.0]})
    assert (reply.status, reply.error) == (404, f"Servable not found for request: Latest({MODEL})")
    reload("models.config")
    assert call("GET", probes(container)["readinessProbe"]["path"]).status == 200


def test_alarms_are_about_metrics_that_there_are():
    metrics = Metrics()
    metrics.count_request(MODEL, "OK")
    metrics.time_request(MODEL, "predict", "REST", 1.0)
    metrics.time_queuing("threads", 1.0)
    metrics.time_load("/models", True, 1.0)
    page = metrics.page().decode()
    (rules,) = documents("alerts.yaml")[0]["groups"]
    expressions = " ".join(rule["expr"] for rule in rules["rules"])
    for name in re.findall(r":tensorflow:[a-z_:]+", expressions):
        assert f"\n{name}{{" in page, name
    for name, label in re.findall(r"(:tensorflow:[a-z_:]+){(\w+)", expressions):
        assert re.search(rf"^{name}{{.*\b{label}=", page, re.MULTILINE), (name, label)
    (statuses,) = re.findall(r'status=~"([A-Z_|]+)"', expressions)
    assert set(statuses.split("|")) < set(CODES)
