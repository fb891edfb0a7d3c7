"""Feedback endpoints compatible with other tools' SDKs: each accepts what its SDK sends, and replies as it expects.

Accepted signals are handled like those of POST /v1/feedback. Langfuse's replies list the error of each item; those of
the others have no place for it, so a request is accepted as a whole or refused.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct

from .. import __version__
from ..decode import JSON, decompress
from ..http.requests import (
    LARGEST_LIST,
    RECEPTION,
    Refusal,
    answer,
    answered,
    check_bearer,
    entry_of,
    read,
)
from ..records.requests import Entry
from . import opinions
from .http import CONTEXT, check_pace, take
from .join import SIGNAL
from .opinions import Opinion, Reader

_KEY_HEADERS: Final = ("X-API-Key", "api_key")
"""Where LangSmith and older Phoenix SDKs send their key."""


class Tool(Struct, frozen=True):
    """A path, the parser of its bodies, and its reply, made of the parsed items and the body as it was sent."""

    path: str
    read: Reader
    reply: Callable[[list[Opinion], Any], tuple[int, Any]]
    takes_parts: bool = False


def _ingested(said: list[Opinion], _body: Any) -> tuple[int, Any]:
    taken = [{"id": one.id, "status": 201} for one in said if not one.error]
    errors = [{"id": one.id, "status": 400, "message": one.error, "error": one.error} for one in said if one.error]
    return 207, {"successes": taken, "errors": errors}


def _scored(said: list[Opinion], body: Any) -> tuple[int, Any]:
    errors = [{"message": one.error} for one in said if one.error]
    if not isinstance(body, list):
        return (400, {"message": said[0].error, "error": said[0].error}) if errors else (200, {"id": said[0].id})
    if not errors:
        return 202, {"message": "Accepted"}
    return 207, {"accepted": len(said) - len(errors), "rejected": len(errors), "errors": errors}


def _annotated(said: list[Opinion], _body: Any) -> tuple[int, Any]:
    return 200, {"data": [{"id": str(number)} for number, _ in enumerate(said)]}


def _echoed(_said: list[Opinion], body: Any) -> tuple[int, Any]:
    return 200, body


def _assessed(said: list[Opinion], body: Any) -> tuple[int, Any]:
    return 200, {"assessment": body["assessment"] | {"assessment_id": f"a-{(said[0].sent or {})['trace_id']}"}}


TOOLS: Final = (
    Tool("/api/public/ingestion", opinions.langfuse_events, _ingested, takes_parts=True),
    Tool("/api/public/scores", opinions.langfuse_scores, _scored, takes_parts=True),
    Tool("/v1/span_annotations", opinions.phoenix_annotations, _annotated),
    Tool("/v1/trace_annotations", opinions.phoenix_annotations, _annotated),
    Tool("/feedback", opinions.langsmith_feedback, _echoed),
    Tool("/api/3.0/mlflow/traces/{trace_id}/assessments", opinions.mlflow_assessment, _assessed),
)


def add_routes(app: web.Application) -> None:
    """Add the handlers; the app must hold what those of feedback need."""
    for tool in TOOLS:
        app.router.add_post(tool.path, answered(_handler(tool), counted_as=SIGNAL))
    app.router.add_get("/info", answered(info))


async def info(request: web.Request) -> web.Response:
    """What LangSmith's SDK asks before it sends: which server this is."""
    check_bearer(request.app[RECEPTION].access, _authorization(request), "feedback")
    return answer(200, {"version": __version__})


def _handler(tool: Tool) -> Callable[[web.Request], Any]:
    async def receive(request: web.Request) -> web.Response:
        check_bearer(request.app[RECEPTION].access, _authorization(request), "feedback")
        check_pace(request)
        async with entry_of(request, SIGNAL) as entry:
            body = await read(request, entry, _plain)
            said = await read(request, entry, lambda entry: tool.read(_plain(entry)))
            await _take(request, entry, said, tool)
        return answer(*tool.reply(said, msgspec.json.decode(body)))

    return receive


async def _take(request: web.Request, entry: Entry, said: list[Opinion], tool: Tool) -> None:
    """Take what is right; raises Refusal where all or nothing is taken and something is wrong."""
    wrong = [one.error for one in said if one.error]
    if wrong:
        if not tool.takes_parts:
            raise Refusal(400, "invalid", wrong[0])
        request.app[RECEPTION].on_rejected(SIGNAL, "invalid", len(wrong))
    ours = msgspec.json.encode([one.sent for one in said if one.sent is not None])
    entry = Entry(SIGNAL, JSON, "", ours, entry.received_at)
    await take(request, entry, request.app[CONTEXT].desk.read(entry))


def _plain(entry: Entry) -> bytes:
    return decompress(entry.encoding, entry.body, LARGEST_LIST)


def _authorization(request: web.Request) -> str | None:
    """The Authorization header; of a tool that sends its key elsewhere, the same as a bearer token."""
    if given := request.headers.get("Authorization"):
        return given
    key = next((key for name in _KEY_HEADERS if (key := request.headers.get(name))), None)
    return f"Bearer {key}" if key else None
