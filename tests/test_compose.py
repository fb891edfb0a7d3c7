"""compose.yaml without a container engine: its schema, its hardening, and that what it mounts and names fits."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import aiohttp
import pytest
import yaml

from exporter.app.application import Exporter, make_app
from exporter.cli.main import _parser
from exporter.config import load
from exporter.http.auth import Access

ROOT = Path(__file__).parent.parent
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
CONTAINER = ROOT / "deploy" / "compose"
OTELCOL = yaml.safe_load((CONTAINER / "otelcol.yaml").read_text())
GATEWAY = yaml.safe_load((ROOT / "deploy" / "collector" / "gateway.yaml").read_text())
JAEGER = yaml.safe_load((CONTAINER / "jaeger.yaml").read_text())
PROMETHEUS = yaml.safe_load((ROOT / "alerts" / "prometheus.yml").read_text())
PROVISIONING = ROOT / "dashboards" / "provisioning"
[SOURCE] = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yaml").read_text())["datasources"]
[PROVIDER] = yaml.safe_load((PROVISIONING / "dashboards" / "llmq.yaml").read_text())["providers"]

# A health check runs in the container: the collector's image holds no other program, and traffic serves nothing.
WITHOUT_HEALTH = {"otelcol", "gateway", "traffic"}

REPLICAS = {
    name: service for name, service in SERVICES.items() if "/etc/llmq/replica.yaml" in service.get("command", [])
}
SECRETS = "/run/secrets"

each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def validated(path):
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_is_what_the_compose_specification_says():
    done = validated(ROOT / "compose.yaml")
    assert done.returncode == 0, done.stdout


def test_a_misspelt_key_would_be_found(tmp_path):
    (tmp_path / "compose.yaml").write_text((ROOT / "compose.yaml").read_text().replace("cap_drop:", "cap_dropped:"))
    assert "cap_dropped" in validated(tmp_path / "compose.yaml").stdout


# --- hardening


@each_service
def test_a_container_may_do_little(service):
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"}
    assert service.get("user") in (None, "postgres")


def ports(service):
    return [re.fullmatch(r"127\.0\.0\.1:(\d+):(\d+)", port) for port in service.get("ports", [])]


def test_ports_are_published_to_this_machine_alone_and_once():
    published = [port for service in SERVICES.values() for port in ports(service)]
    assert all(published)
    assert len({port[1] for port in published}) == len(published) >= 6


def test_every_image_is_pinned_and_named_at_the_top():
    pulled = {service["image"] for service in SERVICES.values() if "image" in service}
    assert pulled == set(COMPOSE["x-images"].values())
    assert [image for image in pulled if not re.fullmatch(r"[\w/.-]+:v?\d+\.\d+(\.\d+)?", image)] == []
    assert [name for name, service in SERVICES.items() if ("image" in service) == ("build" in service)] == []


def test_no_secret_is_written_down_and_none_has_a_default():
    variables = [item for service in SERVICES.values() for item in service.get("environment", {}).items()]
    secrets = {name: value for name, value in variables if re.search("PASSWORD|SECRET|TOKEN|KEY", name)}
    files = {value for name, value in secrets.items() if name.endswith("_FILE")}
    assert files == {f"{SECRETS}/postgres"}
    written = [value for value in secrets.values() if value not in files]
    assert [value for value in written if not re.fullmatch(r"\$\{\w+:\?[^}]+\}", value)] == []
    assert len(written) == 1
    assert {".env", ".secrets/"} <= set((ROOT / ".gitignore").read_text().splitlines())
    assert COMPOSE["secrets"] == {"postgres": {"file": ".secrets/postgres"}}


def test_make_writes_a_password_that_nobody_else_reads_or_has(tmp_path):
    written = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        command = ["make", "-C", folder, "-f", ROOT / "Makefile", f"PYTHON={sys.executable}", ".env"]
        subprocess.run(command, check=True, capture_output=True)
        assert (folder / ".env").stat().st_mode & 0o077 == 0
        written.append(re.fullmatch(r"GRAFANA_ADMIN_PASSWORD=([\w-]{32,})\n", (folder / ".env").read_text())[1])
    assert written[0] != written[1]


def test_make_writes_the_database_s_password_where_nobody_else_gets(tmp_path):
    path = COMPOSE["secrets"]["postgres"]["file"]
    command = ["make", "-C", tmp_path, "-f", ROOT / "Makefile", f"PYTHON={sys.executable}", path]
    subprocess.run(command, check=True, capture_output=True)
    assert re.fullmatch(r"[\w-]{32,}\n", (tmp_path / path).read_text())
    assert (tmp_path / path).parent.stat().st_mode & 0o077 == 0
    assert (tmp_path / path).stat().st_mode & 0o777 == 0o444  # for the users in the containers


def test_who_waits_for_health_waits_for_a_service_that_says_so():
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == WITHOUT_HEALTH
    waits = [wait for service in SERVICES.values() for wait in service.get("depends_on", {}).items()]
    conditions = {on: condition["condition"] for on, condition in waits}
    assert {on for on, condition in conditions.items() if condition != "service_healthy"} <= WITHOUT_HEALTH
    assert WITHOUT_HEALTH.isdisjoint(on for on, condition in conditions.items() if condition == "service_healthy")


# --- what is mounted


def mounts(service):
    """(what is mounted, where, how) of each volume."""
    return [(*volume.split(":"), "rw")[:3] for volume in service.get("volumes", [])]


@each_service
def test_what_is_mounted_is_a_folder_here_and_read_only_or_a_named_volume(service):
    for source, _, mode in mounts(service):
        if source.startswith("."):
            assert mode == "ro"
            assert (ROOT / source).is_dir()
        else:
            assert source in COMPOSE["volumes"]


def here(name, path):
    """Where a path in a container is on this machine; None when a volume or a secret, a KeyError when it is nowhere."""
    if path in [f"{SECRETS}/{secret}" for secret in SERVICES[name].get("secrets", [])]:
        return None
    for source, target, _ in mounts(SERVICES[name]):
        if PurePosixPath(path).is_relative_to(target):
            return ROOT / source / PurePosixPath(path).relative_to(target) if source.startswith(".") else None
    raise KeyError(path)


def paths_in(name):
    service = SERVICES[name]
    words = [*service.get("command", []), *map(str, service.get("environment", {}).values())]
    return [found[0] for word in words if (found := re.search(r"(?<![:/\w.])/\w[\w./-]*", word))]


def test_every_path_that_a_container_is_told_is_mounted():
    told = [(name, path) for name in SERVICES for path in paths_in(name)]
    assert len(told) >= 8
    for name, path in told:
        file = here(name, path)
        assert file is None or file.exists(), (name, path)


def test_what_the_exporter_stores_is_in_a_volume():
    config = load(here("llmq", "/etc/llmq/llmq.yaml"))
    assert here("llmq", config.store.url.removeprefix("sqlite:///")) is None
    assert Access(config.server.tokens).answer(None, "ingest") == "allowed"


@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "build" in service])
def test_what_our_image_is_told_is_what_llmq_understands(name):
    assert _parser().parse_args(SERVICES[name]["command"]).command == SERVICES[name]["command"][0]


def test_the_demo_is_built_with_what_it_needs():
    built = {service["build"]["args"]["LOCK"] for service in SERVICES.values() if "demo" in service.get("profiles", [])}
    assert built == {"requirements-demo.lock"}


# --- replicas


def replica_config(tmp_path):
    """The replicas' config, with a password of this machine."""
    (tmp_path / "postgres").write_text("a secret of 24 characters")
    text = (CONTAINER / "replica.yaml").read_text()
    path = tmp_path / "replica.yaml"
    path.write_text(text.replace(f"{SECRETS}/postgres", str(tmp_path / "postgres")))
    assert path.read_text() != text
    return path


def test_llmq_check_accepts_the_config_of_the_replicas(llmq, tmp_path):
    path = replica_config(tmp_path)
    code, out, err = llmq("check", path)
    assert code == 0, out + err
    assert {warning.where for warning in load(path).warnings} == {"$.server.listen", "$.server.grpc"}  # both are open


def test_replicas_share_a_database_and_write_under_names_of_their_own(tmp_path):
    config = load(replica_config(tmp_path))
    database = urlsplit(config.store.url)
    variables = SERVICES["postgres"]["environment"]
    assert (database.hostname, database.username, database.path) == ("postgres", variables["POSTGRES_USER"], "/llmq")
    assert config.judge.ledger == config.store.url
    assert config.store.replica == ""  # the host's name
    assert {name: service["hostname"] for name, service in REPLICAS.items()} == {"llmq-0": "llmq-0", "llmq-1": "llmq-1"}
    assert set(config.server.hosts) == REPLICAS.keys()
    for name, service in REPLICAS.items():
        assert here(name, config.store.files) is None
        assert here(name, f"{SECRETS}/postgres") is None
        assert service["profiles"] == SERVICES["postgres"]["profiles"] == SERVICES["gateway"]["profiles"] == ["scale"]


def test_the_gateway_sends_to_every_replica_and_has_room_for_its_queue():
    [resolver] = GATEWAY["exporters"]["load_balancing"]["resolver"].values()
    variables = SERVICES["gateway"]["environment"]
    names = [re.fullmatch(r"\$\{env:(\w+):-.+\}", name)[1] for name in resolver["hostnames"]]
    assert {variables[name] for name in names} == {f"{name}:4317" for name in REPLICAS}
    [queue] = re.findall(r":-(.+)\}", GATEWAY["extensions"]["file_storage"]["directory"])
    writable = [PurePosixPath(entry.partition(":")[0]) for entry in SERVICES["gateway"]["tmpfs"]]
    assert any(PurePosixPath(queue).is_relative_to(folder) for folder in writable)


def test_prometheus_scrapes_the_replicas_under_their_names():
    [job] = [job for job in PROMETHEUS["scrape_configs"] if job["job_name"] == "llmq"]
    [found] = job["dns_sd_configs"]
    assert (set(found["names"]), found["port"]) == (REPLICAS.keys(), 4318)
    [relabel] = job["relabel_configs"]
    assert (relabel["source_labels"], relabel["target_label"]) == (["__meta_dns_name"], "instance")


# --- addresses


def port_of(address):
    return int(address.rpartition(":")[2])


def default_port(receiver):
    return int(re.fullmatch(r".*:(\d+)\}", receiver["endpoint"])[1])


def listens():
    """The ports that each service listens on, as its own config says; else those that its program has by default."""
    receiving = OTELCOL["receivers"]["otlp"]["protocols"]
    [reader] = OTELCOL["service"]["telemetry"]["metrics"]["readers"]
    kept = JAEGER["receivers"]["otlp"]["protocols"]
    replica = yaml.safe_load((CONTAINER / "replica.yaml").read_text())["server"]
    return {
        **{name: {port_of(replica["listen"]), port_of(replica["grpc"])} for name in REPLICAS},
        "gateway": {*map(default_port, GATEWAY["receivers"]["otlp"]["protocols"].values()), 8888},
        "postgres": {5432},
        "llmq": {load(CONTAINER / "llmq.yaml").server.listen.port},
        "otelcol": {*(port_of(each["endpoint"]) for each in receiving.values()), _scraped(reader)["port"]},
        "jaeger": {*(port_of(each["endpoint"]) for each in kept.values()), 16686, 13133},
        "prometheus": {9090},
        "alertmanager": {9093},
        "grafana": {3000},
        "model": {port_of(SERVICES["model"]["command"][-1])},
    }


def _scraped(reader):
    return reader["pull"]["exporter"]["prometheus"]


def targets():
    jobs = [*PROMETHEUS["scrape_configs"], *PROMETHEUS["alerting"]["alertmanagers"]]
    found = [target for job in jobs for group in job["static_configs"] for target in group["targets"]]
    looked_up = [group for job in jobs for group in job.get("dns_sd_configs", [])]
    return found + [f"{name}:{group['port']}" for group in looked_up for name in group["names"]]


def test_whoever_is_addressed_listens_there():
    urls = [SOURCE["url"], *(exporter["endpoint"] for exporter in OTELCOL["exporters"].values())]
    urls += SERVICES["gateway"]["environment"].values()
    urls += [word for word in SERVICES["traffic"]["command"] if word.startswith("http")]
    addressed = [re.sub(r"^http://|/v1$", "", url) for url in urls] + targets()
    assert len(addressed) >= 15
    for address in addressed:
        host, port = address.split(":")
        assert int(port) in listens()["prometheus" if host == "localhost" else host], address


def test_ports_that_are_published_and_checked_are_listened_on():
    for name, service in SERVICES.items():
        checked = re.findall(r"127\.0\.0\.1(?::|\", )(\d+)", str(service.get("healthcheck", {}).get("test")))
        assert len(checked) == (name not in WITHOUT_HEALTH)
        wanted = {int(port) for port in checked} | {int(port[2]) for port in ports(service)}
        assert wanted <= listens().get(name, set()), name


def test_links_lead_to_ports_of_this_machine():
    texts = [file.read_text() for file in (ROOT / "alerts").glob("*.rules.yaml")]
    texts += [file.read_text() for file in PROVISIONING.rglob("*.yaml")] + [str(SERVICES)]
    linked = {port for text in texts for port in re.findall(r"http://localhost:(\d+)", text)}
    published = {port[1] for service in SERVICES.values() for port in ports(service)}
    assert {"3000", "4318", "9090", "9093", "16686"} <= linked <= published


# --- Prometheus and Alertmanager, really


def free_of_paths(name, folder):
    """The command of a service with the paths of this machine, on a port that the system chooses."""
    words = []
    for word in SERVICES[name]["command"]:
        flag, _, value = word.partition("=")
        if value.startswith("/"):
            value = str(here(name, value) or folder / name)
        words.append(f"{flag}={value}")
    return [*words, "--web.listen-address=127.0.0.1:0"]


@pytest.fixture
async def running(tmp_path):
    """Start a service's program as compose would; returns its address once it listens."""
    processes = []

    async def start(name, program):
        process = await asyncio.create_subprocess_exec(
            program, *free_of_paths(name, tmp_path), stderr=asyncio.subprocess.PIPE
        )
        processes.append(process)
        return await asyncio.wait_for(_address(process.stderr), 120)

    yield start
    for process in processes:
        process.terminate()
        await process.communicate()


async def _address(log):
    seen = []
    while line := (await log.readline()).decode():
        seen.append(line)
        if found := re.search(r'msg="Listening on" address=(\S+)', line):
            return f"http://{found[1]}"
    raise AssertionError("".join(seen))


async def when(url, ready):
    """What a URL answers as soon as that is ``ready``."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(120):
        while True:
            async with session.get(url) as response:
                answer = await response.text()
                if response.status == 200 and ready(answer):
                    return answer
            await asyncio.sleep(0.05)


def checked_path(name):
    return re.search(r"http://[^/]+(/[^\s']*)", str(SERVICES[name]["healthcheck"]["test"]))[1]


async def test_prometheus_runs_as_compose_starts_it(running):
    address = await running("prometheus", "prometheus")
    await when(address + checked_path("prometheus"), lambda _: True)
    flags = json.loads(await when(f"{address}/api/v1/status/flags", lambda _: True))["data"]
    assert (flags["storage.tsdb.retention.time"], flags["enable-feature"]) == ("5w", "exemplar-storage")
    groups = json.loads(await when(f"{address}/api/v1/rules", lambda _: True))["data"]["groups"]
    loaded = {Path(group["file"]).name for group in groups}
    assert loaded == {file.name for file in (ROOT / "alerts").glob("*.rules.yaml")}
    scraped = json.loads(await when(f"{address}/api/v1/targets", lambda answer: "llmq:4318" in answer))["data"]
    assert {target["labels"]["job"] for target in scraped["activeTargets"]} == set(SERVICES) - {
        "jaeger",
        *(name for name, service in SERVICES.items() if "profiles" in service),
    }


async def test_alertmanager_runs_as_compose_starts_it(running):
    address = await running("alertmanager", "prometheus-alertmanager")
    await when(address + checked_path("alertmanager"), lambda _: True)
    status = json.loads(await when(f"{address}/api/v2/status", lambda _: True))
    assert status["cluster"]["status"] == "disabled"


def test_promtool_and_amtool_accept_what_is_mounted():
    config = here("prometheus", "/etc/prometheus/prometheus.yml")
    done = subprocess.run(["promtool", "check", "config", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    config = here("alertmanager", "/etc/alertmanager/alertmanager.yml")
    done = subprocess.run(["amtool", "check-config", config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- Grafana


def test_exemplars_lead_to_the_verdict_and_to_the_trace(tmp_path):
    exporter = Exporter(load(None, store=f"sqlite:///{tmp_path}/llmq.db"))
    try:
        served = {route.resource.canonical for route in make_app(exporter).router.routes()}
    finally:
        exporter.store.close()
    destinations = SOURCE["jsonData"]["exemplarTraceIdDestinations"]
    links = [(link["name"], link["url"].replace("$${__value.raw}", "{trace_id}")) for link in destinations]
    paths = {re.sub(r"http://localhost:\d+", "", url) for name, url in links if name == "trace_id"}
    assert paths == {"/answers/{trace_id}", "/trace/{trace_id}"}
    assert "/answers/{trace_id}" in served
    assert "--enable-feature=exemplar-storage" in SERVICES["prometheus"]["command"]


def test_grafana_steps_as_prometheus_scrapes():
    assert SOURCE["jsonData"]["timeInterval"] == PROMETHEUS["global"]["scrape_interval"]


def test_grafana_provisions_from_where_the_files_are():
    assert here("grafana", SERVICES["grafana"]["environment"]["GF_PATHS_PROVISIONING"]) == PROVISIONING
    assert here("grafana", PROVIDER["options"]["path"]) == ROOT / "dashboards"
    assert (PROVIDER["allowUiUpdates"], SOURCE["editable"]) == (False, False)


def test_dashboards_ask_for_the_data_source_that_is_provisioned():
    assert SOURCE["isDefault"]
    for file in here("grafana", PROVIDER["options"]["path"]).rglob("*.json"):
        board = json.loads(file.read_text())
        [chosen] = [one for one in board["templating"]["list"] if one["type"] == "datasource"]
        assert chosen["query"] == SOURCE["type"], file
        asked = set(re.findall(r'"datasource": {"type": "[\w-]+", "uid": "([^"]+)"', json.dumps(board)))
        assert asked <= {"${datasource}", "-- Grafana --", "grafana", SOURCE["uid"]}, file
