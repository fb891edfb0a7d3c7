"""The application under test: asks it the questions of a suite again, over HTTP or by a command. Knows no evaluator.

An endpoint is asked as OpenAI's chat completions are. A command is run once for each row, which it reads as JSON from
its standard input; what it prints is the answer, or a JSON object with ``output`` and other fields of a row.
"""

import json
import os
import shlex
import ssl
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from ..judge.completion import completion
from ..runtime.os_errors import why

Row = dict[str, Any]
Ask = Callable[[Row], Row]
"""The fields of a row that an answer gives; raises NoAnswerError."""

KEY: Final = "OPENAI_API_KEY"
"""The environment variable that holds the endpoint's key."""
_OLD: Final = ("output", "refusal", "tool_calls", "tool_results", "finish_reason")
"""What a row has of the answer that it was made of."""
_PATH: Final = "/chat/completions"
_LARGEST: Final = 16 << 20


class NoAnswerError(Exception):
    """The application did not answer; the message says why and holds nothing of the row."""


def endpoint(url: str, model: str, timeout: float) -> Ask:
    """Asks an OpenAI-compatible endpoint, such as http://127.0.0.1:8000/v1; ``timeout`` in seconds."""
    parts = _parts(url)

    def ask(row: Row) -> Row:
        reply = completion(_posted(parts, {"model": model, "messages": _messages(row)}, timeout))
        if reply is None or (reply.text is None and reply.refusal is None):
            raise NoAnswerError("the endpoint's reply is no chat completion with a text")
        found = {"output": reply.text or "", "refusal": reply.refusal, "finish_reason": reply.finish_reason}
        return {name: value for name, value in found.items() if value is not None}

    return ask


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.rstrip("/").removesuffix(_PATH) + _PATH)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # a port that is no number, an address that is none
        pass
    raise NoAnswerError(f"{url}: not a URL; write it as http://HOST/v1")


def _posted(parts: SplitResult, body: Row, timeout: float) -> bytes:
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(KEY, "").strip():
        headers["Authorization"] = f"Bearer {key}"
    connection = _connection(parts, timeout)
    try:
        connection.request("POST", f"{parts.path}?{parts.query}".rstrip("?"), json.dumps(body).encode(), headers)
        response = connection.getresponse()
        answer = response.read(_LARGEST)
    except OSError as error:
        raise NoAnswerError(f"the endpoint cannot be reached: {why(error)}") from None
    except HTTPException:
        raise NoAnswerError("the endpoint does not answer as HTTP does") from None
    finally:
        connection.close()
    if response.status != HTTPStatus.OK:
        raise NoAnswerError(f"the endpoint answered {response.status}")
    return answer


def _connection(parts: SplitResult, timeout: float) -> HTTPConnection:
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return HTTPSConnection(parts.hostname or "", parts.port, timeout=timeout, context=context)
    return HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)


def _messages(row: Row) -> list[dict[str, str]]:
    system = [{"role": "system", "content": row["system_prompt"]}] if row.get("system_prompt") else []
    return [*system, {"role": "user", "content": row.get("input") or ""}]


def command(line: str, timeout: float) -> Ask:
    """Runs a command line for each row, without a shell; ``timeout`` in seconds."""
    words = shlex.split(line)
    if not words:
        raise NoAnswerError("the command is empty")

    def ask(row: Row) -> Row:
        try:
            done = subprocess.run(  # noqa: S603 - it is the user's own command
                words, input=json.dumps(row).encode(), stdout=subprocess.PIPE, timeout=timeout, check=False
            )
        except subprocess.TimeoutExpired:
            raise NoAnswerError(f"the command took longer than {timeout:g} s") from None
        except OSError as error:
            raise NoAnswerError(f"the command cannot be run: {why(error)}") from None
        if done.returncode:
            raise NoAnswerError(f"the command ended with exit code {done.returncode}")
        return _printed(done.stdout.decode("utf-8", "replace"))

    return ask


def _printed(text: str) -> Row:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict) and "output" in value:
        return value
    return {"output": text.removesuffix("\n")}


def again(lines: Iterable[bytes], ask: Ask, at_once: int) -> Iterator[bytes | NoAnswerError]:
    """The rows with the answers that the application gives now, in their order, so many asked at once.

    A line that is no row is handed on as it is, for whoever reads rows to say so.
    """
    waiting: deque[Future[bytes | NoAnswerError]] = deque()
    with ThreadPoolExecutor(at_once) as pool:
        for line in lines:
            waiting.append(pool.submit(_answered, line, ask))
            if len(waiting) > at_once:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _answered(line: bytes, ask: Ask) -> bytes | NoAnswerError:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return line
    if not isinstance(row, dict) or not isinstance(row.get("input"), str):
        return line
    asked = {name: value for name, value in row.items() if name not in (*_OLD, "expected", "rejected", "metadata")}
    try:
        answer = ask(asked)
    except NoAnswerError as error:
        return error
    kept = {name: value for name, value in row.items() if name not in _OLD}
    return json.dumps(kept | answer).encode()
