"""deploy/ without Go: the configs in it, the chart's values, and that what is named in several places is the same."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from exporter import __version__
from exporter.config import load
from exporter.config.units import duration
from exporter.metrics.catalogue import CATALOGUE

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "llmq"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
MANIFESTS = [one for one in yaml.safe_load_all((DEPLOY / "kubernetes" / "llmq.yaml").read_text()) if one]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
PEERS = ROOT / "tests" / "peers"


def manifest(kind):
    [found] = [one for one in MANIFESTS if one["kind"] == kind]
    return found


[CONTAINER] = manifest("StatefulSet")["spec"]["template"]["spec"]["containers"]
POD = manifest("StatefulSet")["spec"]["template"]["spec"]
CONFIG = yaml.safe_load(manifest("ConfigMap")["data"]["llmq.yaml"])


@pytest.fixture
def here(tmp_path):
    """A config of a pod as a file of this machine, whose tokens are here, too."""

    def write(config):
        for token in config["server"]["tokens"]:
            secret = tmp_path / Path(token["file"]).name
            secret.write_text(f"a secret of 24 characters {token['name']}")
            token["file"] = str(secret)
        path = tmp_path / "llmq.yaml"
        path.write_text(yaml.safe_dump(config))
        return path

    return write


@pytest.mark.parametrize("config", [VALUES["config"], CONFIG], ids=["chart", "manifests"])
def test_llmq_check_finds_nothing_wrong_with_the_config(llmq, here, config):
    path = here(yaml.safe_load(yaml.safe_dump(config)))
    code, out, err = llmq("check", path)
    assert code == 0, out + err
    assert load(path).warnings == ()


def test_the_manifests_have_the_chart_s_config():
    assert VALUES["config"] == CONFIG


def test_the_pod_is_given_longer_to_end_than_llmq_takes():
    assert POD["terminationGracePeriodSeconds"] == VALUES["terminationGracePeriodSeconds"]
    assert POD["terminationGracePeriodSeconds"] >= duration(CONFIG["server"]["shutdown"]) + 5


def test_every_path_of_the_config_is_mounted():
    mounts = {mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    paths = [
        CONFIG["store"]["url"].removeprefix("sqlite:///"),
        *(token["file"] for token in CONFIG["server"]["tokens"]),
    ]
    assert [path for path in paths if str(Path(path).parent) not in mounts] == []
    assert Path(CONTAINER["args"][2]).parent == Path("/etc/llmq/config")


def test_the_ports_are_those_of_the_config():
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {
        name: int(CONFIG["server"][key].rpartition(":")[2]) for name, key in (("http", "listen"), ("grpc", "grpc"))
    }


def test_a_pod_may_do_little():
    assert POD["securityContext"]["runAsNonRoot"]
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not POD["automountServiceAccountToken"]
    [user] = re.findall(r"^USER (\d+):", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert POD["securityContext"]["runAsUser"] == POD["securityContext"]["fsGroup"] == int(user)


def test_the_probes_ask_what_llmq_answers():
    paths = {CONTAINER[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"/-/healthy", "/-/ready"}


def test_prometheus_scrapes_with_a_token_that_may_read():
    [endpoint] = manifest("ServiceMonitor")["spec"]["endpoints"]
    key = endpoint["authorization"]["credentials"]["key"]
    [roles] = [token["roles"] for token in CONFIG["server"]["tokens"] if Path(token["file"]).name == key]
    assert "read" in roles
    assert {one["targetLabel"]: one.get("replacement") for one in endpoint["relabelings"]}["job"] == "llmq"


def test_the_schema_admits_the_values_and_names_each():
    Draft202012Validator.check_schema(SCHEMA)
    assert list(Draft202012Validator(SCHEMA).iter_errors(VALUES)) == []
    assert SCHEMA["properties"].keys() - {"global"} == VALUES.keys()
    wrong_values = [
        {"replica": 2},
        {"replicas": "2"},
        {"networkPolicy": {"enable": True}},
        {"store": {"postgresql": {"url": "sqlite:///llmq.db"}}},
        {"store": {"postgresql": {"password": "secret"}}},
    ]
    for wrong in wrong_values:
        assert list(Draft202012Validator(SCHEMA).iter_errors(VALUES | wrong)) != []


def test_the_chart_shares_no_database_unless_one_is_named():
    assert VALUES["store"]["postgresql"] == {"url": "", "passwordSecret": "", "schema": load().store.schema}
    right = {"store": {"postgresql": VALUES["store"]["postgresql"] | {"url": "postgresql://llmq@db.example/llmq"}}}
    assert list(Draft202012Validator(SCHEMA).iter_errors(VALUES | right)) == []


def test_the_chart_has_the_version_of_llmq_and_its_rules_and_dashboards():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == chart["version"] == __version__
    assert (CHART / "files" / "alerts").resolve() == ROOT / "alerts"
    assert (CHART / "files" / "dashboards").resolve() == ROOT / "dashboards"


# --- versions


def test_the_tests_run_the_versions_that_compose_runs():
    images = dict(re.fullmatch(r".*/([\w-]+):v?([\d.]+)", image).groups() for image in COMPOSE["x-images"].values())
    built = (PEERS / "build.sh").read_text()
    major, minor, patch = images["prometheus"].split(".")
    assert f"prometheus/prometheus v0.{major}{int(minor):02}.{patch} " in built
    assert f"prometheus/alertmanager v{images['alertmanager']} " in built
    collector = images["opentelemetry-collector-contrib"]
    assert f"collector/cmd/builder@v{collector} " in built
    parts = yaml.safe_load((PEERS / "otelcol.yaml").read_text())
    modules = [part["gomod"] for kind in ("receivers", "processors", "exporters", "extensions") for part in parts[kind]]
    assert [module for module in modules if not module.endswith(f" v{collector}")] == []


# --- the Collector


@pytest.mark.parametrize("name", ["agent", "gateway"])
def test_a_collector_drops_nothing(name):
    config = yaml.safe_load((DEPLOY / "collector" / f"{name}.yaml").read_text())
    [exporter] = config["exporters"].values()
    queue = exporter["sending_queue"]
    assert queue["block_on_overflow"]
    assert queue["storage"] in config["service"]["extensions"]
    assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s"
    assert config["extensions"]["file_storage"]["fsync"]
    assert queue["batch"]["max_size"] <= load().limits.body_bytes / 2


def test_the_gateway_keeps_nothing_in_memory_and_chooses_by_trace_id():
    config = yaml.safe_load((DEPLOY / "collector" / "gateway.yaml").read_text())
    balancing = config["exporters"]["load_balancing"]
    assert balancing["routing_key"] == "traceID"
    assert not balancing["protocol"]["otlp"]["sending_queue"]["enabled"]
    assert not balancing["protocol"]["otlp"]["retry_on_failure"]["enabled"]
    for pipeline in config["service"]["pipelines"].values():
        assert pipeline["exporters"] == ["load_balancing"]


# --- the page


def test_the_metrics_to_watch_exist():
    known = {family.name for family in CATALOGUE}
    told = set(re.findall(r"`(?:\w+\()*(llmq_\w+)", (DEPLOY / "README.md").read_text()))
    assert len(told) >= 10
    assert told <= known
