"""Results of offline suites, the suites' questions, and what they do not cover."""

from msgspec import Struct


class SuiteResult(Struct, frozen=True):
    """The newest result of one suite, evaluator and version; ``timestamp`` in Unix seconds."""

    suite: str
    evaluator: str
    evaluator_version: str
    app: str
    model_version: str
    prompt_version: str
    run_id: str
    timestamp: float
    cases: int
    passed: int
    mean_score: float | None = None

    @property
    def key(self) -> tuple[str, str, str, str, str, str]:
        """What one result is kept for."""
        return self.suite, self.evaluator, self.evaluator_version, self.app, self.model_version, self.prompt_version

    @property
    def age(self) -> tuple[float, str]:
        """What decides which of two is newer, whichever comes first."""
        return self.timestamp, self.run_id


class Suite(Struct, frozen=True):
    """The questions of a suite for an app, as of its newest run that brought any; ``app`` as production names it.

    Of each question the signature is kept, see ``offline/likeness.py``.
    """

    suite: str
    app: str
    run_id: str
    timestamp: float
    signatures: tuple[bytes, ...]

    @property
    def key(self) -> tuple[str, str]:
        """What one suite is kept for."""
        return self.suite, self.app


class Gap(Struct, frozen=True):
    """Failures that are alike and that no suite covers: how many, where and when; the trace of the last one.

    The signature is of the question of ``first_trace_id``.
    """

    app: str
    route: str
    signature: bytes
    first_trace_id: bytes
    trace_id: bytes
    first_seen: float
    last_seen: float
    failures: int = 1

    @property
    def key(self) -> bytes:
        """What names the group: its first question."""
        return self.app.encode() + b"\x00" + self.signature
