"""The Helm chart and the plain manifests, by Helm, kubeconform and the Go types of Kubernetes and its operators."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from exporter.config import load

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "llmq"
DATABASE = "postgresql://llmq@one.example:6432,two.example/llmq?target_session_attrs=read-write"
SHARED = [
    "--set-string=store.postgresql.url=" + DATABASE.replace(",", r"\,"),
    "--set=replicas=3,store.postgresql.passwordSecret=database,store.postgresql.schema=quality",
]
SETTINGS = {
    "as it is": [],
    "three replicas": SHARED,
    "a database without a password": SHARED[:1],
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
    "flag",
    [
        "replica=2",
        "replicas=many",
        "config.server.grpc=4317",
        "image.pullPolicy=Sometimes",
        "store.postgresql.url=sqlite:///llmq.db",
        "store.postgresql.password=secret",
    ],
)
def test_a_value_that_the_chart_does_not_know_is_refused(peer, flag):
    done = run(peer("helm"), "template", "llmq", str(CHART), f"--set={flag}")
    assert done.returncode != 0
    assert flag.partition("=")[0].rpartition(".")[2] in done.stderr


# --- replicas that share a database


def test_llmq_check_accepts_the_config_of_replicas_that_share_a_database(rendered, llmq, tmp_path):
    [text] = [one["data"]["llmq.yaml"] for one in objects(rendered(*SHARED), "ConfigMap") if "llmq.yaml" in one["data"]]
    config = yaml.safe_load(text)
    for number, secret in enumerate([config["store"]["password"], *config["server"]["tokens"]]):
        secret["file"] = str(tmp_path / f"secret-{number}")
        Path(secret["file"]).write_text(f"a secret of 24 characters {number}")
    (tmp_path / "llmq.yaml").write_text(yaml.safe_dump(config))
    code, out, err = llmq("check", tmp_path / "llmq.yaml")
    assert code == 0, out + err
    store = load(tmp_path / "llmq.yaml").store
    assert (store.url, store.schema, store.files, store.replica) == (DATABASE, "quality", "/var/lib/llmq", "")


def test_a_replica_has_the_name_of_its_pod(rendered):
    """llmq takes the host's name, which is the pod's unless the pod says otherwise."""
    [replicas] = objects(rendered(*SHARED), "StatefulSet")
    assert not replicas["spec"]["template"]["spec"].keys() & {"hostname", "hostNetwork", "setHostnameAsFQDN"}


def test_the_password_is_mounted_where_the_config_looks_for_it(rendered):
    text = rendered(*SHARED)
    [pod] = [one["spec"]["template"]["spec"] for one in objects(text, "StatefulSet")]
    [volume] = [one for one in pod["volumes"] if one.get("secret", {}).get("secretName") == "database"]
    [mount] = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == volume["name"]]
    [item] = volume["secret"]["items"]
    assert f"file: {mount['mountPath']}/{item['path']}\n" in text
    assert (mount["readOnly"], item["key"]) == (True, "password")


def test_the_network_policy_lets_out_to_the_ports_of_the_database(rendered):
    def ports(*flags):
        [policy] = objects(rendered(*flags), "NetworkPolicy")
        return {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}

    assert ports(*SHARED) == {53, 6432, 5432}
    assert ports() == {53}


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--set=replicas=2"], "set store.postgresql.url"),
        ([*SHARED, "--set=config.store.replica=one"], "config.store.replica: a replica has the name of its pod"),
    ],
    ids=["a file each", "one name for all"],
)
def test_replicas_that_would_not_share_are_refused(peer, flags, told):
    done = run(peer("helm"), "template", "llmq", str(CHART), *flags)
    assert done.returncode != 0
    assert told in done.stderr


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
