"""Who hears what: routes and templates by amtool; grouping and silence by a real Alertmanager and a webhook."""

import asyncio
import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
import yaml
from aiohttp import web

from exporter.rules.files import DEFAULT_SETTINGS
from exporter.rules.routes import routing

ALERTS = Path(__file__).parent.parent / "alerts"
CONFIG = ALERTS / "alertmanager.yml"
RULE_CASES = Path(__file__).parent / "rules"

PAGE = {"alertname": "LLMQualityBudgetBurn", "severity": "page", "sli": "grounding", "app": "shop", "window": "1h"}
TICKET = {**PAGE, "alertname": "LLMQualityBudgetBurnSlow", "severity": "ticket", "window": "1d", "level": "slice"}


def amtool(*arguments):
    return subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False, cwd=ALERTS)


def test_amtool_accepts_the_config():
    done = amtool("check-config", str(CONFIG))
    assert done.returncode == 0, done.stderr


def test_amtool_accepts_the_receivers_that_are_comments(tmp_path):
    (tmp_path / "templates").symlink_to(ALERTS / "templates")
    written_out = re.sub(r"^    # (?=\s*[-\w])", "    ", CONFIG.read_text(), flags=re.MULTILINE)
    (tmp_path / "alertmanager.yml").write_text(written_out)
    receivers = {receiver["name"]: receiver.keys() for receiver in yaml.safe_load(written_out)["receivers"]}
    assert receivers["pager"] >= {"pagerduty_configs"}
    assert receivers["tickets"] >= {"slack_configs", "email_configs"}
    done = amtool("check-config", str(tmp_path / "alertmanager.yml"))
    assert done.returncode == 0, done.stderr


def test_the_config_has_the_routes_that_llmq_writes():
    config, routes = yaml.safe_load(CONFIG.read_text()), routing(DEFAULT_SETTINGS.extra_labels)
    assert {key: config[key] for key in routes} == routes


def test_no_secret_is_in_the_config_and_matching_is_by_matchers_alone():
    text = CONFIG.read_text()
    for setting in re.findall(r"\w*(?:password|api_url|service_key|routing_key|token|credentials)\w*", text):
        assert setting.endswith("_file")
    assert not re.search(r"^\s*-?\s*(match|match_re|source_match|target_match):", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("receiver", "labels"),
    [
        ("dead-mans-switch", {"alertname": "Watchdog", "severity": "none"}),
        ("nobody", {"alertname": "Anything", "severity": "none"}),
        ("pager", PAGE),
        ("pager", {"alertname": "LLMQualityExporterDown", "severity": "page", "job": "llmq", "instance": "a:4318"}),
        ("tickets", TICKET),
        ("tickets", {"alertname": "SomebodyElsesAlert"}),
    ],
)
def test_an_alert_goes_to_the_receiver_of_its_severity(receiver, labels):
    given = [f"{name}={value}" for name, value in labels.items()]
    done = amtool("config", "routes", "test", "--config.file", str(CONFIG), f"--verify.receivers={receiver}", *given)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def rendered(tmp_path):
    def render(template, **notification):
        (tmp_path / "data.json").write_text(json.dumps({"status": "firing", "commonLabels": {}, **notification}))
        data, text = f"--template.data={tmp_path / 'data.json'}", f'--template.text={{{{ template "{template}" . }}}}'
        done = amtool("template", "render", "--template.glob=templates/*.tmpl", text, data)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return render


def alert(status="firing", suspects="", worst="", sli="grounding"):
    notes = {
        "description": f"{sli} on app shop: 57% bad of 140.",
        "suspects": suspects,
        "worst": worst,
        "dashboard_url": "http://localhost:3000/d/llmq-slo?var-app=shop",
        "runbook_url": "http://localhost:4318/runbooks/LLMQualityBudgetBurn",
    }
    times = {"startsAt": "2026-11-23T10:00:00Z", "endsAt": "2026-11-23T11:00:00Z"}
    return {"status": status, "labels": {**PAGE, "sli": sli}, "annotations": notes, **times}


def test_a_title_says_what_on_what_and_how_many(rendered):
    summary = {"summary": "Answers get bad"}
    title = rendered("llmq.title", commonLabels=PAGE, commonAnnotations=summary, alerts=[alert(), alert()])
    assert title == "PAGE grounding on shop: Answers get bad (2 alerts)"


def test_a_title_of_the_exporter_names_the_alert_and_says_when_it_is_over(rendered):
    labels = {"alertname": "LLMQualityExporterDown", "severity": "page"}
    title = rendered("llmq.title", status="resolved", commonLabels=labels, alerts=[alert("resolved")])
    assert title == "Resolved: PAGE LLMQualityExporterDown"


def test_a_title_of_several_slis_says_where(rendered):
    where = {"app": "shop", "route": "/returns", "namespace": "prod"}
    labels = {"alertname": "LLMQualityBudgetBurn", "severity": "page", **where}
    title = rendered("llmq.title", commonLabels=labels, groupLabels=where, alerts=[alert(), alert()])
    assert title == "PAGE quality on shop /returns prod (2 alerts)"


def test_a_text_lists_the_slis_worst_first_and_shows_what_is_behind_the_worst(rendered):
    worst = "grounding: 540 bad of 600\nhelpfulness: 120 bad of 150\n"
    mild = alert(worst=worst, sli="helpfulness", suspects="helpfulness suspect\n")
    text = rendered("llmq.text", alerts=[mild, alert(worst=worst, suspects="grounding suspect\n")])
    assert text.splitlines()[:6] == [
        "Worst first:",
        "grounding: 540 bad of 600",
        "helpfulness: 120 bad of 150",
        "",
        "grounding on app shop: 57% bad of 140.",
        "Most of it from:",
    ]
    assert text.count("Worst first") == 1
    assert "grounding suspect" in text
    assert "helpfulness suspect" not in text
    assert "Also: helpfulness on app shop: 57% bad of 140.\n" in text


def test_a_text_names_the_suspects_and_where_to_look(rendered):
    suspect = "prompt_version v7 with model_version m1 on route /chat: 80 bad of 80\n"
    text = rendered("llmq.text", alerts=[alert(suspects=suspect), alert("resolved")])
    assert text.splitlines() == [
        "grounding on app shop: 57% bad of 140.",
        "Most of it from:",
        suspect.strip(),
        "Since 2026-11-23 10:00 UTC",
        "Dashboard: http://localhost:3000/d/llmq-slo?var-app=shop",
        "Runbook: http://localhost:4318/runbooks/LLMQualityBudgetBurn",
        "",
        "Resolved: grounding on app shop: 57% bad of 140.",
    ]


class Alertmanager:
    """A real Alertmanager on the shipped config, hurried, whose receivers are a webhook of ours."""

    def __init__(self, session, address, heard):
        self.session, self.address, self.heard = session, address, heard

    async def post(self, *labels):
        await self.send([{"labels": each, "annotations": {"summary": "s"}} for each in labels])

    async def send(self, alerts):
        async with self.session.post(f"{self.address}/api/v2/alerts", json=alerts) as response:
            assert response.status == 200, await response.text()

    async def groups(self):
        """How many groups of alerts each receiver has, silenced ones among them."""
        async with self.session.get(f"{self.address}/api/v2/alerts/groups") as response:
            return Counter(group["receiver"]["name"] for group in await response.json())

    async def states(self):
        async with self.session.get(f"{self.address}/api/v2/alerts") as response:
            return [(each["labels"], each["status"]["state"]) for each in await response.json()]

    async def notification(self, receiver):
        """What a receiver hears next."""
        return await asyncio.wait_for(self.heard[receiver].get(), 120)

    async def next(self, receiver):
        """The labels of the alerts of the next notification to a receiver."""
        return [each["labels"] for each in (await self.notification(receiver))["alerts"]]


def hurried(node, webhook):
    """The config with seconds for minutes and receivers at the address of the test."""
    if isinstance(node, dict):
        short = {"group_wait": "1s", "group_interval": "1s"}
        return {key: short.get(key, hurried(value, webhook)) for key, value in node.items()}
    if isinstance(node, list):
        return [hurried(value, webhook) for value in node]
    return node.replace("http://127.0.0.1:9095", webhook) if isinstance(node, str) else node


@pytest.fixture
async def alertmanager(tmp_path, aiohttp_server):
    heard = {name: asyncio.Queue() for name in ("pages", "tickets", "alive")}

    async def hear(request):
        heard[request.match_info["receiver"]].put_nowait(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/{receiver}", hear)
    server = await aiohttp_server(app, host="127.0.0.1")
    config = hurried(yaml.safe_load(CONFIG.read_text()), str(server.make_url("")).rstrip("/"))
    config["templates"] = [str(ALERTS / "templates" / "*.tmpl")]
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    process = await asyncio.create_subprocess_exec(
        "prometheus-alertmanager",
        f"--config.file={tmp_path / 'alertmanager.yml'}",
        f"--storage.path={tmp_path / 'data'}",
        "--web.listen-address=127.0.0.1:0",
        "--cluster.listen-address=",
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        address = await asyncio.wait_for(listening(process.stderr), 120)
        async with aiohttp.ClientSession() as session:
            yield Alertmanager(session, address, heard)
    finally:
        process.terminate()
        await process.communicate()


async def listening(log):
    while line := (await log.readline()).decode():
        if "Listening on" in line:
            return "http://" + re.search(r"address=(\S+)", line)[1]
    raise AssertionError("Alertmanager did not start")


async def test_an_app_that_alerts_is_one_page_and_silences_its_routes_and_tickets(alertmanager):
    routes = [{**PAGE, "level": "route", "route": route} for route in ("/chat", "/search")]
    ticket = {**TICKET, "route": "/chat", "model_version": "m1", "prompt_version": "v7"}
    other = {**ticket, "app": "bank"}
    await alertmanager.post({**PAGE, "level": "app"}, *routes, ticket, other)
    assert [labels["level"] for labels in await alertmanager.next("pages")] == ["app"]
    assert [labels["app"] for labels in await alertmanager.next("tickets")] == ["bank"]
    suppressed = [labels for labels, state in await alertmanager.states() if state == "suppressed"]
    assert sorted(labels["level"] for labels in suppressed) == ["route", "route", "slice"]


@pytest.mark.parametrize(
    "change", [{"app": "bank"}, {"route": "/ask"}, {"namespace": "staging"}], ids=lambda one: next(iter(one))
)
async def test_what_happens_elsewhere_is_a_notification_of_its_own(alertmanager, change):
    here = {**PAGE, "level": "route", "route": "/returns", "namespace": "prod"}
    await alertmanager.post(here, {**here, **change})
    heard = [await alertmanager.next("pages") for _ in range(2)]
    assert sorted(len(alerts) for alerts in heard) == [1, 1]


async def test_an_app_of_one_environment_silences_nothing_of_another(alertmanager):
    app = {**PAGE, "level": "app", "namespace": "staging"}
    await alertmanager.post(app, {**PAGE, "level": "route", "route": "/ask", "namespace": "prod"})
    heard = [(await alertmanager.next("pages"))[0]["namespace"] for _ in range(2)]
    assert sorted(heard) == ["prod", "staging"]


def fired(case, replacing):
    """The alerts that promtool saw fire in the first case of a file, for another SLI, app or route."""
    text = (RULE_CASES / case).read_text()
    for old, new in replacing.items():
        text = text.replace(old, new)
    for expected in yaml.safe_load(text)["tests"][0]["alert_rule_test"]:
        for alert in expected.get("exp_alerts") or []:
            labels = {"alertname": expected["alertname"], **alert["exp_labels"]}
            yield {"labels": labels, "annotations": alert["exp_annotations"]}


async def test_one_bad_prompt_is_one_notification_whose_links_resolve(alertmanager):
    pages = list(fired("../incidents/one-incident.test.yaml", {}))
    assert {page["labels"]["sli"] for page in pages} == {"grounding", "faithfulness", "helpfulness", "thumbs_down"}
    assert {page["labels"]["window"] for page in pages} >= {"1h", "6h"}
    tickets = list(fired("slo-1d.test.yaml", {"/chat": "/returns"}))
    await alertmanager.send([*pages, *tickets])
    heard = await alertmanager.notification("pages")
    assert heard["groupLabels"] == {"app": "shop", "route": "/returns"}
    assert len(heard["alerts"]) == len(pages)
    assert (await alertmanager.groups())["pager"] == 1
    suppressed = [labels["alertname"] for labels, state in await alertmanager.states() if state == "suppressed"]
    assert suppressed == ["LLMQualityBudgetBurnSlow"] * len(tickets)
    for alert in heard["alerts"]:
        notes = alert["annotations"]
        assert (ALERTS / "runbooks" / f"{notes['runbook_url'].rpartition('/runbooks/')[2]}.md").is_file()
        assert "prompt_version v1 with model_version m1" in notes["suspects"]
        dashboard = urlsplit(notes["dashboard_url"])
        assert dashboard.path == "/d/llmq-slo"
        chosen = {name.removeprefix("var-"): value for name, value in parse_qsl(dashboard.query)}
        assert chosen == {
            name: value for name, value in alert["labels"].items() if name in {"sli", "app", "route", "window"}
        }


async def test_a_page_of_one_route_leaves_the_tickets_of_others_alone(alertmanager):
    here = {**TICKET, "route": "/chat", "prompt_version": "v7"}
    there = {**TICKET, "route": "/search", "prompt_version": "v7"}
    await alertmanager.post({**PAGE, "level": "route", "route": "/chat"}, here, there)
    assert await alertmanager.next("tickets") == [there]
    states = {labels["route"]: state for labels, state in await alertmanager.states() if labels["level"] == "slice"}
    assert states == {"/chat": "suppressed", "/search": "active"}


async def test_a_ticket_of_an_app_is_said_instead_of_those_of_its_slices(alertmanager):
    slices = [{**TICKET, "route": route, "prompt_version": "v7"} for route in ("/chat", "/search")]
    await alertmanager.post(*slices, {**TICKET, "level": "app"})
    assert [labels["level"] for labels in await alertmanager.next("tickets")] == ["app"]


async def test_without_any_exporter_only_that_is_said(alertmanager):
    absent = {"alertname": "LLMQualityMetricsAbsent", "severity": "page", "job": "llmq"}
    down = {"alertname": "LLMQualityExporterDown", "severity": "page", "job": "llmq", "instance": "a:4318"}
    await alertmanager.post(absent, down, {**PAGE, "level": "app"}, {**TICKET, "route": "/chat"})
    assert await alertmanager.next("pages") == [absent]
    assert sorted(state for _, state in await alertmanager.states()) == ["active", *["suppressed"] * 3]


@pytest.mark.parametrize(
    ("cause", "effects", "shared"),
    [
        ("JudgeBudgetGone", ["CoverageDown"], {"evaluator": "helpfulness"}),
        ("VerdictsMissing", ["CoverageDown", "ScoringFailing"], {"evaluator": "helpfulness"}),
        (
            "StoreTrouble",
            ["BackPressure", "JournalFilling", "ScoringStalled"],
            {"job": "llmq", "instance": "a:4318"},
        ),
    ],
)
async def test_what_follows_from_something_is_not_said_beside_it(alertmanager, cause, effects, shared):
    names = [f"LLMQuality{name}" for name in (cause, *effects)]
    await alertmanager.post(*({"alertname": name, "severity": "ticket", **shared} for name in names))
    assert [labels["alertname"] for labels in await alertmanager.next("tickets")] == names[:1]
    suppressed = [labels["alertname"] for labels, state in await alertmanager.states() if state == "suppressed"]
    assert sorted(suppressed) == names[1:]


async def test_an_exporter_that_is_down_silences_nothing_of_the_others(alertmanager):
    down = {"alertname": "LLMQualityExporterDown", "severity": "page", "job": "llmq", "instance": "a:4318"}
    await alertmanager.post(down, {**PAGE, "level": "app"})
    heard = [(await alertmanager.next("pages"))[0]["alertname"] for _ in range(2)]
    assert sorted(heard) == ["LLMQualityBudgetBurn", "LLMQualityExporterDown"]


async def test_the_watchdog_reaches_the_dead_mans_switch(alertmanager):
    await alertmanager.post({"alertname": "Watchdog", "severity": "none"})
    assert await alertmanager.next("alive") == [{"alertname": "Watchdog", "severity": "none"}]
