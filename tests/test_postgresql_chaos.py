"""Two replicas on one database, each of which is killed in turn under load: all that was acknowledged counts once.

The clients do what a Collector does that routes by trace id: each trace, and what users say of it, goes to one replica,
again and again until it is told 200.
"""

import random
import signal
import time
from uuid import uuid4

import psycopg
import pytest
from test_crash import SIGNALS, Sender, Talker, told

ROUNDS = 2
CONFIG = {"assembly": {"grace": "100ms", "idle": "300ms"}, "attributes": {"app": ["service.name"]}}
GO_UP = (
    "llmq_requests_total",
    "llmq_feedback_total",
    "llmq_evaluations_total",
    "llmq_exporter_spans_received_total",
)


@pytest.fixture
def server(postgres):
    """The server, running again after the test whatever the test did."""
    yield postgres
    if postgres.process.poll() is not None:
        postgres.start()


class Replica:
    """One of them with the clients that are routed to it, and what its counters showed the last time."""

    def __init__(self, process, seed):
        self.process = process
        self.sender, self.talker = Sender(seed), Talker(seed)
        self.clients = [process.client(self.sender.work), process.client(self.talker.work)]
        self._shown = process.samples()

    def kill(self):
        self.process.kill()
        self.process.start()

    def assert_counters_go_up(self):
        before, self._shown = self._shown, self.process.samples()
        for name in GO_UP:
            assert self._shown.total(name) >= before.total(name), f"{name} went back"

    def takes(self):
        """Wait until it takes requests."""
        sent = self.sender.spans
        self.process.wait_until(lambda: self.sender.spans > sent + 50)

    def is_done(self):
        """Whether nothing waits."""
        found = self.process.samples()
        queues = [found.total("llmq_exporter_queue_length", queue=queue) for queue in ("unrecorded", "feedback")]
        return not any([found["llmq_exporter_journal_entries", frozenset()], *queues])

    @property
    def requests(self):
        """How many were sent and acknowledged."""
        return self.sender.traces + self.talker.truth["requests"]

    def spans(self):
        """How many different ones it counts."""
        found = self.process.samples()
        received, again = "llmq_exporter_spans_received_total", "llmq_exporter_duplicates_total"
        return found.total(received) - found.total(again, signal="traces")


def test_replicas_and_the_database_are_killed_and_everything_counts_once(killable, server, tmp_path):
    shared = {"url": server.url, "schema": f"test_{uuid4().hex}"}
    replicas = [Replica(killable(CONFIG | {"store": shared | own(tmp_path, name)}), n) for n, name in enumerate("ab")]
    blows = [replica.kill for replica in replicas]
    blows += [lambda: killed(server, signal.SIGKILL), lambda: killed(server, signal.SIGINT), lambda: cut(server)]
    chance = random.Random(3)
    for _ in range(ROUNDS):
        for blow in chance.sample(blows, len(blows)):
            time.sleep(chance.uniform(0, 0.3))
            blow()
            for replica in replicas:
                replica.takes()
                replica.assert_counters_go_up()
    for replica in replicas:
        for client in replica.clients:
            client.finish()
    for replica in replicas:
        assert replica.clients[0].refused > 0
        replica.process.wait_until(replica.is_done)
    for replica in replicas:
        assert_exact(replica)
        replica.process.stop()
    with psycopg.connect(server.url) as connection:
        journal, traces = (f'SELECT count(*) FROM "{shared["schema"]}".{table}' for table in ("journal", "traces"))
        assert connection.execute(journal).fetchone() == (0,)
        assert connection.execute(traces).fetchone() == (sum(replica.requests for replica in replicas),)


def assert_exact(replica):
    truth = replica.talker.truth | {"requests": replica.requests, "waiting": 0}
    replica.process.wait_until(lambda: told(replica.process.samples())["requests"] >= truth["requests"])
    assert told(replica.process.samples()) == truth
    assert min(truth[signal] for signal in SIGNALS) > 0
    assert replica.spans() == replica.sender.spans + replica.talker.truth["requests"]
    assert replica.process.total("llmq_exporter_quarantined_total") == 0


def own(folder, name):
    (folder / name).mkdir()
    return {"replica": name, "files": str(folder / name)}


def killed(server, how):
    """The database, ended and started again."""
    server.stop(how)
    time.sleep(0.5)  # clients are refused
    server.start()


def cut(server):
    """All connections, in the midst of whatever they do."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'llmq'")
