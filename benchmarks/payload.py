"""The standard batches: gzipped OTLP requests whose texts compress, and whose answers fail, about as real ones do.

G64: 64 LLM calls, each a trace of its own, with question (0.5 KB), answer (1 KB) and three documents (4 KB in all).
M512: 512 spans in traces of five; one of each five is such a call, the others are of HTTP servers and databases.

Everything follows from fixed seeds. Every request has ids and texts of its own. Run this file to see sizes and kinds.
"""

import json
import random
import zlib
from itertools import accumulate, islice

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SHAPES = {"G64": (64, 1), "M512": (512, 5)}
"""Spans of a request, and how many spans a trace has, of which the first is the LLM call."""

TEMPLATES = 16
UNIQUE = "uniqueword"
"""Stands in every text for a word that is another one in each body, so that no question and no document comes twice."""
SERVICES = 2
START = 1_760_000_000_000_000_000
MILLISECOND = 1_000_000

FREQUENT = [
    "the",
    "and",
    "of",
    "to",
    "a",
    "in",
    "is",
    "that",
    "for",
    "with",
    "you",
    "your",
    "it",
    "on",
    "as",
    "are",
    "be",
    "this",
    "can",
    "will",
    "not",
    "or",
    "we",
    "if",
    "have",
    "from",
    "when",
    "by",
    "an",
    "at",
    "account",
    "order",
    "invoice",
    "refund",
    "payment",
    "delivery",
    "address",
    "password",
    "device",
    "update",
    "contract",
    "request",
    "support",
    "agent",
    "service",
    "region",
    "limit",
    "error",
    "backup",
    "licence",
    "plan",
    "email",
    "document",
    "policy",
    "customer",
    "return",
]
REFUSALS = (
    "I'm sorry, but I can't help with that.",
    "As an AI assistant, I am unable to provide this kind of information.",
    "I cannot answer this, because the documents I was given do not cover it.",
    "I don't have enough information to answer your question.",
)
MODELS = "gpt-4o-mini", "gpt-4o", "claude-sonnet-4", "llama-3.3-70b"
ROUTES = "/chat", "/search", "/support", "/summarise", "/agent/plan"
PROMPT_VERSIONS = "v12", "v13", "v14-canary"


class Prose:
    """Sentences of invented words, some far more frequent than others (Zipf), as in any language."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        words = dict.fromkeys(FREQUENT)
        while len(words) < 6_000:
            words[self._invented()] = None
        self._words = list(words)
        self._weights = list(accumulate(1 / (rank + 40) for rank in range(len(words))))

    def _invented(self) -> str:
        syllables = self.random.choices("bcdfghklmnprstvwz", k=self.random.choice((1, 2, 2, 3, 3, 4)))
        ending = self.random.choice(("", "", "n", "r", "s", "tion", "ing", "ed", "ly"))
        return "".join(consonant + self.random.choice("aeiou") for consonant in syllables) + ending

    def sentence(self) -> str:
        words = self.random.choices(self._words, cum_weights=self._weights, k=self.random.randint(8, 20))
        if self.random.random() < 0.25:
            words[self.random.randrange(len(words))] = str(self.random.randint(2, 9_999))
        return " ".join(words).capitalize() + self.random.choice("...?")

    def text(self, size: int) -> str:
        return joined(iter(self.sentence, ""), size, first=f"{UNIQUE} ")

    def answer(self, documents: list[str]) -> str:
        """60 of 100 sentences are the documents' own; of 100 answers 4 refuse, 1 is empty, 10 are JSON."""
        kind = self.random.random()
        if kind < 0.04:
            return self.random.choice(REFUSALS)
        if kind < 0.05:
            return ""
        if kind < 0.15:
            return json.dumps({"answer": self.text(700), "confidence": round(self.random.random(), 3), "next": None})
        known = [sentence for document in documents for sentence in document.split(". ")]
        some = (self.random.choice(known) + "." if self.random.random() < 0.6 else self.sentence() for _ in range(99))
        return joined(some, 1_000)


def joined(sentences, size: int, first: str = "") -> str:
    """As many sentences as it takes to make ``size`` characters."""
    text = first
    while len(text) < size:
        text += next(sentences) + " "
    return text[:-1]


def call_attributes(prose: Prose) -> dict:
    pick = prose.random
    documents = [prose.text(1_330) for _ in range(3)]
    question, answer, model = prose.text(480), prose.answer(documents), pick.choice(MODELS)
    told = {"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.response.model": f"{model}-2025-08-01",
        "gen_ai.response.id": f"chatcmpl-{pick.randbytes(12).hex()}",
        "gen_ai.conversation.id": f"conv_{pick.randbytes(8).hex()}",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 1_024,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": pick.randint(900, 1_500),
        "gen_ai.usage.output_tokens": pick.randint(20, 300),
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}]),
        "gen_ai.output.messages": json.dumps([told]),
        "gen_ai.retrieval.documents": json.dumps(
            [
                {"id": f"doc-{pick.randint(1, 5_000)}", "score": round(pick.random(), 4), "content": text}
                for text in documents
            ]
        ),
        "app.prompt.version": pick.choice(PROMPT_VERSIONS),
        "http.route": pick.choice(ROUTES),
        "server.address": "api.openai.com",
        "server.port": 443,
    }


def web_attributes(prose: Prose) -> dict:
    route = prose.random.choice(ROUTES)
    return {
        "http.request.method": "POST",
        "http.route": route,
        "url.scheme": "https",
        "url.path": route,
        "server.address": "shop.example.internal",
        "server.port": 8_443,
        "client.address": ".".join(str(byte) for byte in prose.random.randbytes(4)),
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0",
    }


def database_attributes(prose: Prose) -> dict:
    return {
        "db.system.name": "postgresql",
        "db.namespace": "shop",
        "db.operation.name": "SELECT",
        "db.collection.name": "orders",
        "server.address": "pg-1.internal",
        "server.port": 5_432,
        "db.query.text": "SELECT orders.id, orders.total, orders.state, customers.name FROM orders JOIN customers ON"
        " customers.id = orders.customer_id WHERE orders.customer_id = $1 AND orders.created_at > $2 LIMIT 50",
        "db.response.returned_rows": prose.random.randint(0, 50),
        "thread.id": prose.random.randint(1, 64),
    }


KINDS = {
    "chat": (3, call_attributes),
    "POST /chat": (2, web_attributes),
    "SELECT orders": (3, database_attributes),
}


def kind_of(position: int) -> str:
    """The name of a trace's span by its position in the trace."""
    return "chat" if position == 0 else ("POST /chat", "SELECT orders")[position % 2]


def template(shape: str, prose: Prose) -> ExportTraceServiceRequest:
    """One request whose spans still lack ids."""
    spans, per_trace = SHAPES[shape]
    request = ExportTraceServiceRequest()
    for service in range(SERVICES):
        resource = request.resource_spans.add()
        set_attributes(resource.resource.attributes, resource_attributes(service))
        scope = resource.scope_spans.add()
        scope.scope.name, scope.scope.version = "opentelemetry.instrumentation.openai_v2", "2.1"
        for number in range(spans // SERVICES):
            add_span(scope.spans.add(), kind_of(number % per_trace), START + number * MILLISECOND, prose)
    return request


def resource_attributes(service: int) -> dict:
    return {
        "service.name": f"assistant-{service}",
        "service.version": "2.4.1",
        "deployment.environment.name": "prod",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.38.0",
        "k8s.pod.name": f"assistant-{service}-7d9f8c6b5-x{service}k2p",
    }


def add_span(span, name: str, start: int, prose: Prose) -> None:
    span.kind, attributes = KINDS[name][0], KINDS[name][1](prose)
    span.name = f"chat {attributes['gen_ai.request.model']}" if name == "chat" else name
    span.start_time_unix_nano = start
    span.end_time_unix_nano = start + prose.random.randint(1, 3_000) * MILLISECOND
    span.status.code = 1
    set_attributes(span.attributes, attributes)


def set_attributes(into, attributes: dict) -> None:
    for key, value in attributes.items():
        attribute = into.add(key=key).value
        if isinstance(value, list):
            for item in value:
                attribute.array_value.values.add(string_value=item)
        else:
            setattr(attribute, {str: "string_value", int: "int_value", float: "double_value"}[type(value)], value)


class Requests:
    """The bodies of one shape: body n is the same in every run, and no two bodies share an id or a text."""

    def __init__(self, shape: str) -> None:
        self.spans, self._per_trace = SHAPES[shape]
        self.traces = SERVICES * -(-self.spans // SERVICES // self._per_trace)
        prose = Prose(seed=1)
        self._templates = [template(shape, prose) for _ in range(TEMPLATES)]

    def plain(self, number: int) -> bytes:
        request, ids = self._templates[number % TEMPLATES], random.Random(number)
        for resource in request.resource_spans:
            spans = iter(resource.scope_spans[0].spans)
            while trace := list(islice(spans, self._per_trace)):
                trace_id = ids.randbytes(16)
                for span in trace:
                    span.trace_id, span.span_id = trace_id, ids.randbytes(8)
                    span.parent_span_id = b"" if span is trace[0] else trace[0].span_id
        return request.SerializeToString().replace(UNIQUE.encode(), ids.randbytes(len(UNIQUE) // 2).hex().encode())

    def body(self, number: int) -> bytes:
        compressor = zlib.compressobj(6, wbits=31)
        return compressor.compress(self.plain(number)) + compressor.flush()


def main() -> None:
    for shape in SHAPES:
        requests = Requests(shape)
        plain, body = (sum(len(make(n)) for n in range(TEMPLATES)) for make in (requests.plain, requests.body))
        spans = requests.spans * TEMPLATES
        print(f"{shape:5} {plain / spans:6,.0f} bytes/span, {body / spans:5,.0f} gzipped, {requests.traces} traces")
    prose, count = Prose(seed=1), 2_000
    answers = [json.loads(call_attributes(prose)["gen_ai.output.messages"])[0]["parts"][0] for _ in range(count)]
    texts = [answer["content"] for answer in answers]
    for kind, is_kind in (
        ("empty", lambda text: not text),
        ("JSON", lambda text: text.startswith("{")),
        ("refusals", lambda text: text in REFUSALS),
    ):
        print(f"{kind:9} {100 * sum(map(is_kind, texts)) / count:.1f} % of answers")


if __name__ == "__main__":
    main()
