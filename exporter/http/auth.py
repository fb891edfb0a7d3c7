"""Authentication and authorization: bearer tokens with roles, also as Basic passwords. Knows no paths."""

import base64
import binascii
from collections.abc import Iterable
from hashlib import sha256
from hmac import compare_digest
from typing import Literal

from ..config.settings import Role, Token

Answer = Literal["allowed", "unknown", "forbidden"]
CHALLENGES = ('Bearer realm="llmq"', 'Basic realm="llmq", charset="UTF-8"')
"""The values of WWW-Authenticate that go with a 401."""


class Access:
    """Authorizes by the Authorization header; without tokens everybody has every role. ``admin`` includes all roles."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        tokens = tuple(tokens)
        self._names = {_digest(token.secret.value): token.name for token in tokens}
        self._tokens = tuple((_digest(token.secret.value), token.roles) for token in tokens)

    def name(self, authorization: str | None) -> str:
        """The name of the bearer's token, "" where there is none; for records only, it authorizes nothing."""
        return self._names.get(_digest(_secret(authorization or "")), "")

    def answer(self, authorization: str | None, role: Role) -> Answer:
        """Say whether the bearer has the role: "unknown" means 401, "forbidden" 403; in constant time."""
        if not self._tokens:
            return "allowed"
        given = _secret(authorization or "")
        if not given:
            return "unknown"
        offered = _digest(given)
        known, allowed = False, False
        for secret, roles in self._tokens:
            same = compare_digest(secret, offered)
            known |= same
            allowed |= same and (role in roles or "admin" in roles)
        if allowed:
            return "allowed"
        return "forbidden" if known else "unknown"


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()


def _secret(authorization: str) -> str:
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return _password(value) if scheme.lower() == "basic" else ""


def _password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
