"""Active and shadow judge versions, per rubric. Knows no store."""

from collections.abc import Awaitable, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from .case import Judgement, Usage
from .endpoint import Endpoint
from .gate import Roles, Standing, Version, admit, dismiss, roles
from .queue import Job
from .rubric import Rubric

if TYPE_CHECKING:
    from .client import JudgeClient


class JudgeVersions:
    """Active and shadow judge versions: the configured rubrics by the pinned model, and those admitted earlier.

    Call ``close`` at the end. Without a gate, the configured version is admitted at once.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        rubrics: Iterable[Rubric],
        standings: Mapping[str, Standing],
        *,
        gated: bool,
        headers: Mapping[str, str] | None = None,
        connections: int = 16,
    ) -> None:
        self.standings: dict[str, Standing] = dict(standings)
        self._endpoint, self._headers, self._connections = endpoint, headers, connections
        self._roles: dict[str, Roles] = {}
        self._versions: dict[tuple[str, str], Version] = {}
        self._clients: dict[str, JudgeClient] = {}
        for rubric in rubrics:
            version = Version(version=rubric.version(endpoint.model), model=endpoint.model, rubric=rubric)
            standing = self.standings.get(rubric.name, Standing())
            if not gated:
                standing = admit(standing, version)
            self.standings[rubric.name], self._roles[rubric.name] = roles(standing, version)
            self._versions |= {(rubric.name, one.version): one for one in (*standing.admitted, version)}

    @property
    def versions(self) -> dict[tuple[str, str], Version]:
        """Every version that may be called, by evaluator and name."""
        return self._versions

    def roles(self, evaluator: str) -> Roles:
        """The active version, whose verdicts count, and the shadow, whose verdicts are only compared."""
        return self._roles[evaluator]

    def admit(self, evaluator: str) -> Standing:
        """Make the shadow version active; returns the standing to store."""
        shadow = self._roles[evaluator].shadow
        if shadow is not None:
            self.standings[evaluator] = admit(self.standings[evaluator], shadow)
            self._roles[evaluator] = Roles(shadow, None)
        return self.standings[evaluator]

    def dismiss(self, evaluator: str) -> Standing:
        """Shadow the active version, unless another is shadowed already; returns the standing to store."""
        now = self._roles[evaluator]
        self.standings[evaluator] = dismiss(self.standings[evaluator])
        self._roles[evaluator] = Roles(None, now.shadow or now.acting)
        return self.standings[evaluator]

    def mismatch(self, job: Job, judgement: Judgement) -> str:
        """What of a reply is not as pinned, "model" or "fingerprint"; "" where both are."""
        version = self._versions.get((job.evaluator, job.version))
        return self._client(version).endpoint.mismatch(judgement.model, judgement.fingerprint) if version else ""

    def most(self, job: Job) -> Usage:
        """An upper bound of the tokens that the call is billed; KeyError where the version is not used any more."""
        version = self._versions[job.evaluator, job.version]
        return self._client(version).most(job.case, version.rubric)

    def judge(self, job: Job) -> Awaitable[Judgement]:
        """The verdict of the version that the job is for; raises JudgeError."""
        version = self._versions[job.evaluator, job.version]
        return self._client(version).judge(job.case, version.rubric)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.close()

    def _client(self, version: Version) -> "JudgeClient":
        """An earlier model is asked under its own name; other names are accepted only of the configured one."""
        client = self._clients.get(version.model)
        if client is None:
            from .client import JudgeClient  # noqa: PLC0415 - a server without a judge needs no HTTP client, nor its memory

            endpoint = self._endpoint
            if version.model != endpoint.model:
                endpoint = replace(endpoint, model=version.model, pin=replace(endpoint.pin, models=(), fingerprints=()))
            client = self._clients[version.model] = JudgeClient(
                endpoint, headers=self._headers, connections=self._connections
            )
        return client
