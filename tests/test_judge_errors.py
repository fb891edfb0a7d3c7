"""What endpoints say when they give no reply: read in every usual shape, shown without the case and without secrets."""

import pytest
from aiohttp import web

from exporter.config.rubrics import shipped
from exporter.judge.case import Case, JudgeError
from exporter.judge.client import JudgeClient
from exporter.judge.endpoint import Endpoint
from exporter.judge.error_body import told
from exporter.judge.shown import HiddenTexts, shown

RUBRIC = shipped()["helpfulness"]
CASE = Case(question="What is planted here?", answer="Invoice 7 of Mr. Plant is due on the third of May.")
KEY = "planted-api-key-0123456789"

SHAPES = [
    # OpenAI, Azure, Groq
    (400, {"error": {"message": "Unsupported parameter: 'seed'", "type": "invalid_request_error", "param": "seed"}}),
    # Anthropic, as it is and behind a gateway
    (400, {"type": "error", "error": {"type": "invalid_request_error", "message": "seed: Extra inputs not permitted"}}),
    # vLLM before 0.10, and after
    (400, {"object": "error", "message": "[{'loc': ('body', 'seed')}]", "type": "BadRequestError", "code": 400}),
    (400, {"error": {"message": "seed must be at least 0", "type": "BadRequestError", "param": None, "code": 400}}),
    # Ollama
    (400, {"error": "json: cannot unmarshal string into Go struct field ChatRequest.seed of type int"}),
    # LiteLLM
    (400, {"error": {"message": "litellm.UnsupportedParamsError: x does not support parameters: ['seed']",
                     "type": "None", "param": None, "code": "400"}}),
    # Gemini's OpenAI door replies a list
    (400, [{"error": {"code": 400, "message": 'Invalid JSON payload. Unknown name "seed": Cannot find field.',
                      "status": "INVALID_ARGUMENT"}}]),
    # a Bedrock gateway
    (400, {"message": "Malformed input request: #: extraneous key [seed] is not permitted, please reformat"}),
    # OpenRouter has the upstream's error as text
    (400, {"error": {"code": 400, "message": "Provider returned error",
                     "metadata": {"raw": '{"error":{"message":"unknown field: seed"}}', "provider_name": "X"}}}),
    # servers that validate with FastAPI, and Mistral's way of it
    (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]}),
    (422, {"object": "error", "message": {"detail": [{"type": "extra_forbidden", "loc": ["body", "seed"],
                                                      "msg": "Extra inputs"}]}, "type": "invalid_request_error"}),
]  # fmt: skip


@pytest.fixture
def endpoint(aiohttp_server):
    """An endpoint that answers as a function of the request's body says."""

    async def start(answer, **settings):
        asked = []

        async def respond(request):
            asked.append((request, await request.json()))
            return answer(asked[-1][1])

        app = web.Application()
        app.router.add_post("/v1/chat/completions", respond)
        server = await aiohttp_server(app)
        return Endpoint(url=str(server.make_url("/v1")), model="judge-1", **settings), asked

    return start


def reply(**fields):
    message = {"role": "assistant", "content": '{"explanation": "x", "score": 5}'}
    return web.json_response({"model": "judge-1", "choices": [{"finish_reason": "stop", "message": message}]} | fields)


async def failure(endpoint, headers=None):
    async with JudgeClient(endpoint, headers=headers) as client:
        with pytest.raises(JudgeError) as error:
            await client.judge(CASE, RUBRIC)
    return error.value


@pytest.mark.parametrize(("status", "body"), SHAPES)
async def test_a_refused_parameter_is_left_out_whatever_the_shape_of_the_error(endpoint, status, body):
    where, asked = await endpoint(lambda sent: web.json_response(body, status=status) if "seed" in sent else reply())
    async with JudgeClient(where) as client:
        assert (await client.judge(CASE, RUBRIC)).verdict == "pass"
    assert len(asked) == 2


async def test_a_parameter_that_is_switched_off_is_never_sent(endpoint):
    where, asked = await endpoint(lambda _: reply(), seed=None, temperature=None, format="none")
    async with JudgeClient(where) as client:
        await client.judge(CASE, RUBRIC)
    assert asked[0][1].keys() == {"model", "messages", "max_tokens"}


async def test_headers_and_query_are_sent_as_azure_wants_them(endpoint):
    where, asked = await endpoint(lambda _: reply(), query=(("api-version", "2024-10-21"),))
    async with JudgeClient(where, headers={"api-key": KEY}) as client:
        await client.judge(CASE, RUBRIC)
    [(request, _)] = asked
    assert (request.headers["api-key"], request.query["api-version"]) == (KEY, "2024-10-21")
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("status", "body", "reason", "stop"),
    [
        (401, {"error": {"message": "bad key"}}, "http_error", "credentials"),
        (403, {"message": "Forbidden"}, "http_error", "credentials"),
        (402, {"error": {"message": "Insufficient Balance"}}, "http_error", "credentials"),
        (400, [{"error": {"code": 400, "message": "API key not valid", "details": [{"reason": "API_KEY_INVALID"}]}}],
         "http_error", "credentials"),
        (404, {"error": {"code": "DeploymentNotFound", "message": "no such deployment"}}, "http_error", "not_found"),
        (404, {"error": "model 'judge-1' not found"}, "http_error", "not_found"),
        (400, {"error": {"code": "model_not_found", "message": "no such model"}}, "http_error", "not_found"),
        (302, {}, "http_error", "not_found"),
        (400, {"error": {"code": "context_length_exceeded", "message": "too long"}}, "http_error", "request"),
        (413, {}, "http_error", "request"),
        (400, {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
         "refused", "refused"),
        (400, {"error": {"message": "litellm.ContentPolicyViolationError: no", "code": "400"}}, "refused", "refused"),
        (429, {"error": {"code": "insufficient_quota"}}, "rate_limited", None),
        (400, {"__type": "ThrottlingException", "message": "slow down"}, "rate_limited", None),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "rate_limited", None),
        (500, {"error": {"message": "oops"}}, "http_error", None),
        (200, {"error": {"code": 502, "message": "the upstream is gone"}}, "http_error", None),
        (200, {"error": {"code": 401, "message": "no key"}}, "http_error", "credentials"),
        (200, {"error": {"code": 429, "message": "slow down"}}, "rate_limited", None),
    ],
)  # fmt: skip
async def test_an_error_says_whose_fault_it_is(endpoint, status, body, reason, stop):
    where, _ = await endpoint(lambda _: web.json_response(body, status=status))
    error = await failure(where)
    assert (error.reason, error.stop) == (reason, stop)


async def test_what_the_endpoint_says_is_shown_without_the_case_and_without_the_key(endpoint):
    said = f"Incorrect key {KEY}: cannot read 'Invoice 7 of Mr. Plant is due' near \"Mr. Plant\", see our docs"
    where, _ = await endpoint(lambda _: web.json_response({"error": {"message": said}}, status=401))
    error = await failure(where, headers={"Authorization": f"Bearer {KEY}"})
    assert str(error) == (
        "the endpoint answered 401: Incorrect key [secret]: cannot read '[…]' near \"[…]\", see our docs"
    )


async def test_the_model_that_replied_is_named_and_the_pinned_one_too(endpoint):
    where, _ = await endpoint(lambda _: reply(model="judge-1-2026-08-06\n"))
    error = await failure(where)
    assert str(error) == 'the reply names the model "judge-1-2026-08-06?", and "judge-1" is pinned'
    assert (error.stop, error.cure[:30]) == ("model", "name the model that replies in")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{" * 100_000, b'{"error": {"error": ' * 50, b"\xff\xfe<html>"])
def test_any_body_is_read_as_far_as_it_says_something(body):
    assert told(body).parameter == ""


def test_a_page_of_html_is_shown_as_its_text():
    assert told(b"<html><h1>502 Bad Gateway</h1>\n<p>nginx</p></html>").message == "502 Bad Gateway nginx"


@pytest.mark.parametrize("private", ["Straße nach ßen", "İstanbul'da bir gün", "ﬁnancial ﬁgures here"])
def test_texts_that_grow_when_they_are_folded_are_hidden_too(private):
    assert private not in shown(f"cannot parse: {private} (position 3)", [private])


def test_what_is_shown_is_short_and_on_one_line():
    text = shown("a\nb\x00c " + "x" * 1000, secrets=HiddenTexts())
    assert len(text) <= 200
    assert text.startswith("a b c x")


@pytest.mark.parametrize(
    ("header", "value", "after"),
    [
        ("Retry-After", "1e3", 1000.0),
        ("Retry-After", "1e999", 3600.0),
        ("Retry-After", "Mon, 21 Sep 2026 14:13:50 -0000", 30.0),
        ("Retry-After", "Mon, 21 Sep 9999 14:13:50 GMT", 3600.0),
        ("Retry-After", "Mon, 99 Foo 2026", None),
        ("Retry-After", "0, 5", None),
        ("Retry-After-Ms", "1500", 1.5),
        ("Retry-After-Ms", "nan", None),
        ("Retry-After-Ms", "-5", 0.0),
    ],
)
async def test_retry_after_is_bounded_whatever_it_says(endpoint, header, value, after):
    where, _ = await endpoint(lambda _: web.Response(status=429, headers={header: value}))
    async with JudgeClient(where, now=lambda: 1_790_000_000.0) as client:
        with pytest.raises(JudgeError) as error:
            await client.judge(CASE, RUBRIC)
    assert error.value.after == after


THOUGHTS = 'maybe {"score": 3} would be too strict.'
VERDICT = '{"explanation": "The document supports it.", "score": 4}'


@pytest.mark.parametrize(
    "content",
    [
        f"<think>{THOUGHTS}</think>\n{VERDICT}",
        f"{THOUGHTS}\n</think>\n\n{VERDICT}",
        f"[THINK]{THOUGHTS}[/THINK]{VERDICT}",
        f"<|channel|>analysis<|message|>{THOUGHTS}<|end|><|start|>assistant<|channel|>final<|message|>{VERDICT}",
        f"analysis{THOUGHTS}assistantfinal{VERDICT}",
        f"<think>{THOUGHTS}</think>```json\n{VERDICT}\n```",
        [{"type": "thinking", "thinking": [{"type": "text", "text": THOUGHTS}]}, {"type": "text", "text": VERDICT}],
        [{"type": "reasoning", "text": THOUGHTS}, {"type": "output_text", "text": VERDICT}],
    ],
)
async def test_of_a_model_that_thinks_only_what_it_says_at_last_counts(endpoint, content):
    choice = {"finish_reason": "stop", "message": {"content": content, "reasoning_content": THOUGHTS}}
    where, _ = await endpoint(lambda _: reply(choices=[choice]))
    async with JudgeClient(where) as client:
        assert (await client.judge(CASE, RUBRIC)).score == 0.75


@pytest.mark.parametrize("finish", ["length", "max_tokens", "MAX_TOKENS"])
async def test_a_reply_that_was_cut_off_says_so(endpoint, finish):
    choice = {"finish_reason": finish, "message": {"content": f"<think>{THOUGHTS}"}}
    where, _ = await endpoint(lambda _: reply(choices=[choice]))
    error = await failure(where)
    assert (error.reason, error.stop) == ("unparseable", "cut_off")
    assert "max_tokens" in error.cure
