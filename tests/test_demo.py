"""`llmq demo`, for real: its incident is found and told, points at the guilty prompt, and nothing stays behind."""

import asyncio
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml
from aiohttp.test_utils import TestClient, TestServer
from msgspec.structs import replace

from exporter.cli.main import main
from exporter.config.rubrics import shipped
from exporter.demo import judge, rules, servers
from exporter.demo.story import Slips, told
from exporter.demo.stub import Model
from exporter.evaluators.grounding import grounding
from exporter.judge.gate import GateLimits
from exporter.model.trace import Document, Trace
from exporter.rules.rulefile import Links
from exporter.rules.slo import DEFAULT_SLOS, problems

STORY = told()
GUILTY = STORY.rollout
SPEED = 180


class Demo:
    """A running `llmq demo`, what it has said, and what it has started."""

    def __init__(self, process, temporary, output):
        self.process, self.temporary, self.output = process, temporary, output
        self.children = set()

    @property
    def said(self):
        return self.output.read_text()

    def wait_for(self, pattern, seconds=300):
        """The match of a pattern in what it says, as soon as there is one."""
        return wait_until(lambda: re.search(pattern, self.said), pattern, seconds, self)

    def notice_children(self):
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.children |= {int(pid) for pid in found}
        return self.children

    def left_behind(self):
        """Processes and files that are still there."""
        return [pid for pid in self.children if alive(pid)] + list(self.temporary.iterdir())


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(holds, what, seconds, demo):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(0.05)
    return pytest.fail(f"waited in vain for {what}; the demo said:\n{demo.said}")


@contextmanager
def running(folder, *options):
    temporary, output = folder / "tmp", folder / "said"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary), "COLUMNS": "1000"}
    command = [sys.executable, "-m", "exporter", "demo", *options]
    with output.open("wb") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    demo = Demo(process, temporary, output)
    try:
        yield demo
    finally:
        process.kill()
        process.wait()
        wait_until(lambda: not demo.left_behind(), "the janitor", 120, demo)


ACTED = {
    "the judge, on the guilty prompt": r'llmq_evaluations_total\{evaluator="faithfulness".*verdict="fail",'
    rf'sample="random".*prompt_version="{GUILTY.prompt}"',
    **{
        f"users: {signal}": rf'llmq_feedback_total\{{signal="{signal}"'
        for signal in ("thumbs_up", "thumbs_down", "edit", "regenerate", "rephrase")
    },
    "reviewers": r'llmq_review_done_total\{reason="\w+",ending="decided"',
    "labels beside the judge's verdicts": r'llmq_judge_human_pairs_total\{.*source="review"',
}
"""Who acts in the demo, beside the applications, and the series in which that is seen."""


def all_acted(exporter):
    metrics = httpx.get(f"{exporter}/metrics").text
    return all(re.search(rf"^{series}.* [1-9]", metrics, re.MULTILINE) for series in ACTED.values())


class Incident:
    """What there was to be seen at the height of the incident, and what remained of it."""

    def __init__(self, demo):
        self.said = demo.said
        self.exporter, self.prometheus, self.alertmanager = (
            re.search(rf"{name} +(http://[\d.:]+)", self.said)[1] for name in ("metrics", "Prometheus", "Alertmanager")
        )
        self.alerts = self.data("alerts")["alerts"]
        self.rules = [rule for group in self.data("rules")["groups"] for rule in group["rules"]]
        self.groups = httpx.get(f"{self.alertmanager}/api/v2/alerts/groups").json()
        self.metrics = httpx.get(f"{self.exporter}/metrics").text
        opened = re.findall(
            r"^  (?:metrics|answers|review|Prometheus|Alertmanager) +(http\S+)", self.said, re.MULTILINE
        )
        self.opened = {link: httpx.get(link, follow_redirects=True).status_code for link in opened}
        links = re.findall(r"(?:runbook|dashboard|answers):\s+(\S+)", self.said)
        asked = [link.replace("/answers?", "/api/answers?") for link in links if "/answers?" in link]
        self.bad = [httpx.get(link).json()["answers"] for link in asked]
        self.links = {link: httpx.get(link, follow_redirects=True) for link in links}
        self.document = httpx.get(re.search(r"http\S+/api/traces/\w+", self.said)[0]).json()

    def data(self, path):
        return httpx.get(f"{self.prometheus}/api/v1/{path}").json()["data"]

    @property
    def page(self):
        """The lines that tell of the page about grounding.

        On a busy machine helpfulness, which the judge sees in a quarter of the same answers, pages beside it.
        """
        pages = re.findall(r"^\d\d:\d\d   PAGE, .*\n(?: .*\n)*", self.said, re.MULTILINE)
        [found] = [page for page in pages if "- grounding on app" in page]
        return found


@pytest.fixture(scope="module")
def incident(tmp_path_factory):
    with running(tmp_path_factory.mktemp("demo"), f"--speed={SPEED}", "--rollout-after=6s") as demo:
        demo.wait_for("fails because: .*\n")
        exporter = re.search(r"metrics +(http://[\d.:]+)", demo.said)[1]
        wait_until(lambda: all_acted(exporter), f"all of {', '.join(ACTED)}", 300, demo)
        demo.notice_children()
        found = Incident(demo)
        found.log = next(demo.temporary.glob("llmq-demo-*/llmq.log")).read_text()
        demo.process.send_signal(signal.SIGINT)
        found.code = demo.process.wait(120)
        found.said, found.left_behind = demo.said, demo.left_behind()
        found.children = demo.children
    return found


def test_the_page_names_the_guilty_prompt_version_with_both_model_versions(incident):
    suspects = re.findall(
        r"suspect: prompt_version (\S+) with model_version (\S+) on route (\S+): \d+ bad", incident.page
    )
    worst = set(suspects[:2])
    assert worst == {(GUILTY.prompt, model, GUILTY.route) for model in STORY.model_versions}


def test_the_incident_is_one_notification(incident):
    assert "PAGE, one notification" in incident.page
    groups = [group["labels"] for group in incident.groups if group["receiver"]["name"] == "pager"]
    assert groups == [{"app": GUILTY.app, "route": GUILTY.route}]


def test_the_notification_links_to_the_bad_answers_that_it_is_about(incident):
    assert incident.bad
    for answers in incident.bad:
        assert answers
        assert {answer["app"] for answer in answers} == {"shop"}


def test_runbook_and_dashboard_links_of_the_notification_resolve(incident):
    runbooks = {link: answer for link, answer in incident.links.items() if "/runbooks/" in link}
    dashboards = {link: answer for link, answer in incident.links.items() if "/d/llmq-slo?" in link}
    assert runbooks
    assert dashboards
    assert all(answer.text.startswith("# LLMQualityBudgetBurn") for answer in runbooks.values())
    assert all(answer.url.path.endswith("/graph") for answer in dashboards.values())
    assert all("slice:llmq_sli_bad_events" in answer.url.params["g0.expr"] for answer in dashboards.values())
    assert {answer.status_code for answer in incident.links.values()} == {200}


def test_what_the_demo_says_to_open_can_be_opened(incident):
    assert set(incident.opened.values()) == {200}
    assert len(incident.opened) == 5


def test_only_what_is_bad_pages(incident):
    paging = [alert["labels"] for alert in incident.alerts if alert["labels"]["severity"] == "page"]
    assert "grounding" in {labels.get("sli") for labels in paging}
    places = {(labels.get("app"), labels.get("route", GUILTY.route)) for labels in paging}
    assert places == {(GUILTY.app, GUILTY.route)}


def test_every_rule_was_evaluated_without_an_error(incident):
    assert len(incident.rules) > 100
    assert [rule["name"] for rule in incident.rules if rule["health"] == "err"] == []


def test_the_document_of_a_bad_answer_says_why(incident):
    [grounding] = [one for one in incident.document["evaluations"] if one["evaluator"] == "grounding"]
    assert (incident.document["app"], incident.document["route"]) == (GUILTY.app, GUILTY.route)
    assert (grounding["verdict"], incident.document["dialect"]) == ("fail", "otel")
    assert "in no document" in grounding["explanation"]


def test_spans_say_all_that_evaluators_need(incident):
    assert re.search(r'evaluator="json_schema",evaluator_version="\d+(\+\w+)?",verdict="pass"', incident.metrics)
    assert not re.search(r'reason="not_captured".* [1-9]', incident.metrics)
    assert not re.search(r"llmq_exporter_rejected_total.* [1-9]", incident.metrics)


def total(metrics, name, **labels):
    """The sum of a metric's series that have these labels."""
    found = re.findall(rf"^{name}\{{(.*)\}} (\S+)", metrics, re.MULTILINE)
    return sum(float(value) for said, value in found if all(f'{key}="{one}"' in said for key, one in labels.items()))


@pytest.mark.parametrize("rubric", shipped())
def test_the_judge_passed_its_gate_and_fails_the_guilty_prompt(incident, rubric):
    assert total(incident.metrics, "llmq_judge_gate_open", evaluator=rubric) == 1
    old, new = (
        [
            total(incident.metrics, "llmq_evaluations_total", evaluator=rubric, verdict=one, prompt_version=prompt)
            for one in ("pass", "fail")
        ]
        for prompt in ("returns-7", GUILTY.prompt)
    )
    assert old[0] > old[1]
    assert new[0] < new[1]


def test_the_offline_suite_was_green_for_every_version(incident):
    passed, cases = (total(incident.metrics, f"llmq_offline_{name}cases") for name in ("passed_", ""))
    assert passed / cases == STORY.suite.passed / STORY.suite.cases
    for prompt in STORY.prompts:
        assert total(incident.metrics, "llmq_offline_cases", suite=STORY.suite.name, prompt_version=prompt) > 0


def test_nothing_that_users_and_reviewers_sent_was_refused(incident):
    assert total(incident.metrics, "llmq_exporter_rejected_total") == 0
    assert total(incident.metrics, "llmq_review_claims_total", event="labelled") > 0


def test_the_exporter_logs_what_happens_and_not_every_call(incident):
    assert "judge admitted" in incident.log
    assert "HTTP Request" not in incident.log
    assert "ERROR" not in incident.log


def test_after_ctrl_c_no_process_and_no_folder_is_left(incident):
    assert len(incident.children) == 4
    assert (incident.code, incident.left_behind) == (0, [])
    assert incident.said.endswith("ended, and cleared away\n")


def test_killed_it_leaves_nothing_either(tmp_path):
    with running(tmp_path) as demo:
        demo.wait_for("questions a second")
        assert len(demo.notice_children()) == 4
        demo.process.kill()
        wait_until(lambda: not demo.left_behind(), "the janitor", 120, demo)


def test_sigterm_ends_it_and_what_it_wrote_is_kept_where_that_is_wanted(tmp_path):
    with running(tmp_path, "--keep") as demo:
        demo.wait_for("questions a second")
        children = demo.notice_children()
        demo.process.terminate()
        assert demo.process.wait(120) == 0
        [folder] = demo.temporary.iterdir()
        assert demo.said.endswith(f"ended; what it wrote is in {folder}\n")
        assert {"llmq.log", "prometheus.yml", "alertmanager.yml", "rules"} <= {path.name for path in folder.iterdir()}
        assert not any(map(alive, children))
        shutil.rmtree(folder)


def test_a_part_that_ends_by_itself_ends_the_demo_with_its_last_words(tmp_path):
    with running(tmp_path) as demo:
        demo.wait_for("questions a second")
        for pid in demo.notice_children():
            if b"--storage.tsdb.path" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)
        assert demo.process.wait(120) == 1
        assert demo.left_behind() == []
        assert re.search(r"llmq demo: prometheus ended by itself; its last lines:\n  .+", demo.said)


@asynccontextmanager
async def part(*options):
    """One part of the demo as a process, by the first line that it prints; ended by SIGTERM, as a container is."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exporter", "demo", *options, stdout=subprocess.PIPE
    )
    try:
        yield (await process.stdout.readline()).decode()
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_stub_and_traffic_run_alone(run_exporter):
    exporter = await run_exporter()
    to = f"--to={exporter.client.make_url('/')}"
    async with asyncio.timeout(300), part("stub", "--listen=127.0.0.1:0") as listening:
        model = f"--model={re.search(r'http://127.0.0.1:[0-9]+/v1', listening)[0]}"
        async with part("traffic", to, model, "--rate=50", "--rollout-after=1s") as asking:
            assert "50 questions a second" in asking
            while not await exporter.total("llmq_requests_total", prompt_version=GUILTY.prompt):
                await exporter.pass_time(3)
                await asyncio.sleep(0.05)
    for route in STORY.routes:
        assert await exporter.total("llmq_requests_total", app=route.app, route=route.route) > 0


def test_missing_packages_are_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert main(["demo"]) == 1
    needed = "Prometheus and Alertmanager are needed: apt-get install prometheus prometheus-alertmanager"
    assert capsys.readouterr() == ("", f"llmq demo: {needed}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "complaint"),
    [
        ("--rate=0", '"0" is not a number from 0.1 to 100'),
        ("--rate=nan", '"nan" is not a number from 0.1 to 100'),
        ("--speed=fast", '"fast" is not a number from 1 to 300'),
        ("--duration=soon", '"soon" is not a duration'),
    ],
)
def test_wrong_options_are_refused_in_words(capsys, option, complaint):
    with pytest.raises(SystemExit) as ended:
        main(["demo", option])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_judge_errs_from_the_truth_of_the_story():
    anchors = tuple(judge.anchors(STORY))
    assert {one.evaluator for one in anchors} == set(shipped())
    assert {STORY.is_right(one.answer) == (one.human == "pass") for one in anchors} == {True}
    assert all(sum(one.evaluator == rubric for one in anchors) >= GateLimits().min_cases for rubric in shipped())


def test_the_story_fits_together():
    assert set(STORY.suite.topics) < STORY.topics.keys()
    assert STORY.judge.model == yaml.safe_load(servers.CONFIG.read_text())["judge"]["model"]
    for route in STORY.routes:
        assert route.prompt in STORY.prompts
        assert set(route.topics) <= STORY.topics.keys()
    assert (GUILTY.app, GUILTY.route) in {(route.app, route.route) for route in STORY.routes}
    assert GUILTY.prompt in STORY.prompts.keys() - {route.prompt for route in STORY.routes}


@pytest.mark.parametrize("name", STORY.topics)
def test_grounding_tells_a_topics_answer_from_its_invention(name):
    topic = STORY.topics[name]
    context = tuple(Document(text=text) for text in topic.documents)
    said, invented = (
        grounding(Trace(trace_id="t", content_state="answered", answer=answer, context=context)).value
        for answer in (topic.answer, topic.invention)
    )
    assert (said > 0.8, invented < 0.2) == (True, True)


async def asked(prompt, topic, times):
    """What the model answers to a topic's question, so many times."""
    model = Model(replace(STORY, slips=Slips(0, 0, 0)), random.Random(1))
    messages = [{"role": "system", "content": prompt}, {"role": "user", "content": f"Documents:\n{topic.question}"}]
    async with TestClient(TestServer(model.app())) as client:

        async def once():
            response = await client.post("/v1/chat/completions", json={"model": STORY.model, "messages": messages})
            return await response.json()

        completions = await asyncio.gather(*(once() for _ in range(times)))
    return {one["choices"][0]["message"]["content"] for one in completions}, {one["model"] for one in completions}


async def test_the_prompt_alone_decides_whether_the_model_stays_with_the_documents():
    topic = STORY.topics["toaster"]
    answers, models = await asked("Answer only from the documents.", topic, 40)
    assert answers == {topic.answer}
    assert models == set(STORY.model_versions)
    answers, models = await asked("Be persuasive.", topic, 40)
    assert topic.invention in answers
    assert models == set(STORY.model_versions)


async def test_the_model_says_so_where_it_knows_nothing():
    unknown = replace(STORY.topics["toaster"], question="What is the meaning of life?")
    answers, _ = await asked("Answer only from the documents.", unknown, 1)
    assert answers == {"The documents do not say."}


@pytest.mark.parametrize("speed", [1, 60, 300])
def test_rules_on_short_windows_are_right_beside_the_shipped_ones(tmp_path, speed):
    for name, text in rules.files(speed, Links()).items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", *tmp_path.glob("*.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    window = rules.short_window(speed)
    slos = [replace(slo, windows=(window,), alerts=(window.name,)) for slo in DEFAULT_SLOS if slo.name == "grounding"]
    assert [problem for problem in problems(slos) if not problem.warning] == []


def test_an_hour_of_the_page_is_a_minute_in_the_demo():
    window = rules.short_window(60)
    assert (window.severity, window.long, window.short, window.pending) == ("page", "60s", "15s", "2s")
