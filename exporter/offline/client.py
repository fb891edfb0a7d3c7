"""One request to a running llmq: sends a body or reads an answer, again while it is told to wait. Knows no result."""

import os
import ssl
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from ..runtime.os_errors import why

DEFAULT_URL: Final = "http://127.0.0.1:4318"
TOKEN: Final = "LLMQ_TOKEN"  # noqa: S105 - the name of the variable that holds it
"""The environment variable that holds the bearer token."""
_ATTEMPTS: Final = 5
_TIMEOUT: Final = 60.0
_LONGEST_WAIT: Final = 30.0


class ExchangeError(Exception):
    """The server cannot be reached or refuses; the message says why and what to do."""


class LlmqClient:
    """An llmq at a URL such as http://127.0.0.1:4318; ``token`` is that of the environment unless given."""

    def __init__(self, url: str, token: str | None = None, wait: Callable[[float], None] = time.sleep) -> None:
        self._url = url
        self._parts = _parts(url)
        self._token = (os.environ.get(TOKEN, "") if token is None else token).strip()
        if not self._token.isascii() or not self._token.isprintable():
            raise ExchangeError(f"{TOKEN}: holds what no token can; give it the secret alone")
        self._wait = wait

    def post(self, path: str, body: bytes) -> bytes:
        """Send JSON, again after 429 and 503; safe where the server takes the same twice for once."""
        return self._asked("POST", path, body)

    def get(self, path: str) -> bytes:
        """Read an answer."""
        return self._asked("GET", path, None)

    def delete(self, path: str) -> bytes:
        """Delete what a path names; safe to ask twice."""
        return self._asked("DELETE", path, None)

    def _asked(self, method: str, path: str, body: bytes | None) -> bytes:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                response, answer = self._once(method, path, body)
            except OSError as error:
                raise ExchangeError(f"{self._url}: cannot be reached: {why(error)}") from None
            except HTTPException:
                raise ExchangeError(f"{self._url}: does not answer as HTTP does: is this llmq?") from None
            if response.status in (429, 503) and attempt < _ATTEMPTS:
                self._wait(_pause(response.getheader("Retry-After", ""), attempt))
                continue
            if response.status == 200:
                return answer
            break
        raise ExchangeError(f"{self._url}: {_refusal(response.status, answer)}")

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[HTTPResponse, bytes]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = self._connection()
        try:
            connection.request(method, self._parts.path.rstrip("/") + path, body, headers)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return HTTPSConnection(host, port, timeout=_TIMEOUT, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=_TIMEOUT)


def _parts(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # a port that is no number, an address that is none
        pass
    raise ExchangeError(f"{url}: not a URL of llmq; write it as {DEFAULT_URL}")


def _pause(after: str, attempt: int) -> float:
    return min(float(after) if after.isdigit() else 2.0 ** (attempt - 1), _LONGEST_WAIT)


class _Error(msgspec.Struct):
    error: str


def _refusal(status: int, answer: bytes) -> str:
    try:
        said = msgspec.json.decode(answer, type=_Error).error
    except msgspec.DecodeError:
        said = "is this llmq?" if status == 404 else "no reason was given"
    cure = f"; put a token into {TOKEN}" if status == 401 else ""
    return f"answered {status}: {said}{cure}"
