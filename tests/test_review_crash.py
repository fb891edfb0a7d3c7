"""SIGKILL at random moments: no claim that was given and no label that was taken is lost, and none counts twice."""

import json
import random

KILLS = 4
CASES = 40
WORDS = ["amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "inlet", "juniper", "knoll", "larch"]
CONFIG = {
    "assembly": {"grace": "100ms"},
    "review": {
        "enabled": True,
        "wait": "1ms",
        "similarity": 1.0,
        "reasons": {"control": {"share": 0.999999, "annotators": 1, "per_day": 10_000}},
    },
}


class Reviewer:
    """Claims and labels one item after the other; remembers what was promised, and which promises were broken."""

    def __init__(self, name):
        self.who, self.random = name, random.Random(name)
        self.held, self.said, self.broken = None, {}, []

    def work(self, client):
        while not client.ended.is_set():
            claimed = self.ask(client, "claim")["item"]
            if claimed is None:
                client.pause(0.02)
                continue
            trace_id = claimed["trace_id"]
            if self.held not in (None, trace_id):
                self.broken.append((self.held, trace_id))
            self.held = trace_id
            client.pause(self.random.uniform(0, 0.1))  # so that the kills find work under way
            if self.random.random() < 0.5:
                continue  # look at it again first: the claim must still be there
            verdict = self.random.choice(["pass", "fail"])
            self.ask(client, "label", trace_id=trace_id, labels={"helpfulness": {"verdict": verdict}})
            self.said[trace_id], self.held = verdict, None

    def ask(self, client, action, **body):
        return client.post(f"/api/review/{action}", {"reviewer": self.who} | body).json()


def send(process, first, count):
    chance = random.Random(first)
    cases = [
        {"id": str(n), "app": "shop", "question": f"{n} {' '.join(chance.sample(WORDS, 6))}?", "answer": "Yes."}
        for n in range(first, first + count)
    ]
    assert process.http.post("/v1/interactions", json=cases).status_code == 200


def test_sigkill_loses_no_claim_and_no_label_and_counts_none_twice(killable):
    process, moments = killable(CONFIG), random.Random(7)
    reviewers = [Reviewer(name) for name in ("ada", "bob", "cyd")]
    send(process, 0, CASES // 2)
    process.wait_until(lambda: process.total("llmq_review_routed_total") == CASES // 2)
    clients = [process.client(reviewer.work) for reviewer in reviewers]
    process.strike(clients, moments, KILLS // 2)
    send(process, CASES // 2, CASES // 2)
    process.strike(clients, moments, KILLS)
    process.wait_until(lambda: sum(len(reviewer.said) for reviewer in reviewers) == CASES)
    process.wait_until(lambda: process.total("llmq_review_labels_total") == CASES)
    lines = process.http.get("/api/review/reviewed").text.splitlines()
    for client in clients:
        client.finish()
    assert [reviewer.broken for reviewer in reviewers] == [[], [], []]
    found = [json.loads(line) for line in lines]
    kept = {case["trace_id"]: (case["labels"][0]["reviewer"], case["verdicts"]["helpfulness"]) for case in found}
    assert all(len(case["labels"]) == 1 for case in found)
    assert kept == {
        trace_id: (reviewer.who, verdict) for reviewer in reviewers for trace_id, verdict in reviewer.said.items()
    }
    assert len(found) == CASES
