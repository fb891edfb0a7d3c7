"""The Helm chart and the plain manifests, by Helm, kubeconform and the Go types of Kubernetes and its operators."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "llmq"
SETTINGS = {
    "as it is": [],
    "three replicas": ["--set=replicas=3"],
    "without gRPC": ["--set=config.server.grpc=none"],
    "alone": [
        f"--set={name}.enabled=false"
        for name in ("serviceMonitor", "prometheusRule", "dashboards", "networkPolicy", "podDisruptionBudget")
    ],
    "everything set": [
        "--set=image.repository=registry.example/llmq,image.tag=v1,imagePullSecrets[0].name=pull,fullnameOverride=quality",
        "--set=env[0].name=KEY,env[0].value=x,volumes[0].name=v,volumes[0].emptyDir.medium=Memory",
        "--set=volumeMounts[0].name=v,volumeMounts[0].mountPath=/v,storage.storageClassName=fast,nodeSelector.disk=ssd",
        "--set=tolerations[0].operator=Exists,priorityClassName=high,podLabels.team=ml,podAnnotations.a=b",
        "--set=topologySpread.whenUnsatisfiable=DoNotSchedule,podDisruptionBudget.maxUnavailable=25%",
        "--set=networkPolicy.egress[0].to[0].ipBlock.cidr=10.0.0.0/8,serviceMonitor.labels.release=prometheus",
        "--set=prometheusRule.labels.release=prometheus,prometheusRule.alertLabels.team=ml,prometheusRule.rulesPerGroup=7",
        '--set-json=affinity={"podAntiAffinity":{}}',
    ],
}
each_setting = pytest.mark.parametrize("flags", SETTINGS.values(), ids=SETTINGS)


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.fixture
def rendered(peer):
    def render(*flags):
        done = run(peer("helm"), "template", "llmq", str(CHART), *flags)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return render


def objects(text, kind=None):
    return [one for one in yaml.safe_load_all(text) if one and kind in (None, one["kind"])]


@each_setting
def test_the_chart_passes_lint(peer, flags):
    done = run(peer("helm"), "lint", "--strict", str(CHART), *flags)
    assert done.returncode == 0, done.stdout


@each_setting
def test_what_it_renders_is_what_kubernetes_takes(peer, schemas, rendered, flags, tmp_path):
    manifests = tmp_path / "manifests.yaml"
    manifests.write_text(rendered(*flags))
    done = run(peer("manifests"), "check", str(manifests))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{len(objects(manifests.read_text()))} objects\n"
    kinds = ["-schema-location", schemas, "-skip", "ServiceMonitor,PrometheusRule"]
    done = run(peer("kubeconform"), "-summary", "-output", "json", *kinds, str(manifests))
    summary = json.loads(done.stdout)["summary"]
    assert (done.returncode, summary["invalid"], summary["errors"]) == (0, 0, 0), done.stdout
    assert summary["valid"] >= 5


@pytest.mark.parametrize(
    ("right", "wrong"), [("replicas: 1", "replicas: many"), ("serviceName:", "serviseName:")], ids=["type", "name"]
)
def test_a_fault_would_be_found(peer, schemas, rendered, right, wrong, tmp_path):
    manifests = tmp_path / "manifests.yaml"
    manifests.write_text(rendered().replace(right, wrong))
    types = run(peer("manifests"), "check", str(manifests))
    kinds = ["-schema-location", schemas, "-skip", "ServiceMonitor,PrometheusRule"]
    done = run(peer("kubeconform"), *kinds, str(manifests))
    assert types.returncode == 1
    assert done.returncode == 1


@pytest.mark.parametrize(
    "flag", ["replica=2", "replicas=many", "config.server.grpc=4317", "image.pullPolicy=Sometimes"]
)
def test_a_value_that_the_chart_does_not_know_is_refused(peer, flag):
    done = run(peer("helm"), "template", "llmq", str(CHART), f"--set={flag}")
    assert done.returncode != 0
    assert flag.partition("=")[0].rpartition(".")[2] in done.stderr


def test_every_rule_is_there_in_groups_that_mimir_takes(rendered, peer, tmp_path):
    found = objects(rendered(), "PrometheusRule")
    groups = [group for one in found for group in one["spec"]["groups"]]
    assert max(len(group["rules"]) for group in groups) <= 20
    shipped = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "alerts").glob("*.rules.yaml"))]
    wanted = [rule for file in shipped for group in file["groups"] for rule in group["rules"]]
    assert [rule for group in groups for rule in group["rules"]] == wanted
    for one in found:
        rules = tmp_path / f"{one['metadata']['name']}.yaml"
        rules.write_text(yaml.safe_dump(one["spec"]))
        assert run(peer("promtool"), "check", "rules", str(rules)).returncode == 0


def test_a_label_of_yours_is_on_every_alert_and_replaces_none(rendered):
    flags = ["--set=prometheusRule.alertLabels.team=ml,prometheusRule.alertLabels.severity=none"]
    groups = [group for one in objects(rendered(*flags), "PrometheusRule") for group in one["spec"]["groups"]]
    labels = [rule["labels"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert {one["team"] for one in labels} == {"ml"}
    assert "none" not in {one["severity"] for one in labels if one["severity"] != "none"}
    assert {"page", "ticket"} <= {one["severity"] for one in labels}


def test_the_dashboards_are_those_that_ship(rendered):
    maps = [one for one in objects(rendered(), "ConfigMap") if "dashboard" in one["metadata"]["name"]]
    found = {name.removeprefix("llmq-"): json.loads(text) for one in maps for name, text in one["data"].items()}
    assert found == {path.name: json.loads(path.read_text()) for path in (ROOT / "dashboards").glob("*.json")}


def test_the_plain_manifests_are_rendered_from_the_chart():
    """`make manifests` renders them anew."""
    done = run("make", "--silent", "-C", str(ROOT), "show-manifests")
    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / "deploy" / "kubernetes" / "llmq.yaml").read_text()
