"""How identifiers are stored: as they were sent, as digests, or not at all. Knows traces; no store and no config.

Identifiers are those of users, conversations, model responses and documents, and the names of tools. In memory they
stay as they were sent, because evaluators and joins need them.
"""

from hashlib import blake2b
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from ..model.trace import Trace

Policy = Literal["keep", "hash", "drop"]


class Identifiers(Struct, frozen=True):
    """The policy for identifiers: ``keep``, ``hash`` or ``drop``."""

    policy: Policy = "keep"

    def stored(self, trace: Trace) -> Trace:
        """The trace with its identifiers as they are stored."""
        if self.policy == "keep":
            return trace
        return replace(
            trace,
            user=self._stored(trace.user),
            conversation_id=self._stored(trace.conversation_id),
            response_id=self._stored(trace.response_id),
            context=tuple(replace(one, id=self._stored(one.id)) for one in trace.context),
            tool_calls=tuple(replace(one, name=self._stored(one.name) or "") for one in trace.tool_calls),
        )

    def key(self, name: str) -> str:
        """The key of a record that waits for an identifier: a digest, unless identifiers are kept in clear."""
        return name if self.policy == "keep" else digest(name)

    def _stored(self, name: str | None) -> str | None:
        if not name or self.policy == "drop":
            return None
        return self.key(name)


KEEP: Final = Identifiers()


def digest(name: str) -> str:
    """What stands for an identifier: the same in every store."""
    return blake2b(name.encode("utf-8", "replace"), digest_size=16, person=b"llmq identifier").hexdigest()


def stored_names(name: str) -> tuple[str, str]:
    """The ways in which an identifier may be stored, whatever the policy was then."""
    return name, digest(name)
