"""Bad answers for a running llmq: the last step of a set-up, which ends with a page. Needs no OpenTelemetry."""

import os
from collections.abc import Callable
from itertools import cycle, islice
from typing import Final
from urllib.parse import urlencode

import msgspec

from ..offline.client import LlmqClient
from .story import Topic, told

APP: Final = "llmq-demo"
ROUTE: Final = "/bad"


def send(url: str, count: int, say: Callable[[str], None]) -> None:
    """Send so many invented answers to an llmq, and say what comes of them; raises ExchangeError."""
    run = os.urandom(4).hex()
    topics = islice(cycle(told().topics.values()), count)
    body = msgspec.json.encode([_invented(topic, f"{run}-{number}") for number, topic in enumerate(topics)])
    LlmqClient(url).post("/v1/interactions", body)
    address = f"{url.rstrip('/')}/answers?{urlencode({'app': APP, 'evaluator': 'grounding', 'verdict': 'fail'})}"
    say(f"sent {count} answers that no document supports, as app {APP} on route {ROUTE}")
    say(f"in a few seconds they are here: {address}")
    say("LLMQualityBudgetBurn fires for grounding a few minutes later: after the next scrape, the next evaluation of")
    say("the rules, and the 2 minutes that the page waits; it ends by itself when they are out of its windows")


def _invented(topic: Topic, name: str) -> dict[str, object]:
    return {
        "id": name,
        "app": APP,
        "route": ROUTE,
        "model": "demo-model",
        "prompt_version": "demo",
        "question": topic.question,
        "context": topic.documents,
        "answer": topic.invention,
        "tokens": {"input": 40, "output": 20},
    }
