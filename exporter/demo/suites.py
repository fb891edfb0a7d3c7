"""The offline suite: its results are pushed before a version goes out. Knows the story and the exporter's endpoint."""

from collections.abc import Iterable, Iterator

import aiohttp

from ..config.rubrics import shipped
from ..evaluators import installed
from ..offline import likeness
from ..offline.result import OfflineResult, encoded
from .stack import DemoError
from .story import DemoStory


class Suites:
    """Pushes the results of a story's suite; ``to`` is the exporter's address."""

    def __init__(self, story: DemoStory, session: aiohttp.ClientSession, to: str) -> None:
        self._story = story
        self._session = session
        self._versions = dict(_versions(story))
        self._to = f"{to.rstrip('/')}/v1/offline-results"

    async def push(self, versions: Iterable[tuple[str, str]]) -> None:
        """Push what the suite says of these (application, prompt version), with each model version."""
        results = [result for app, prompt in dict.fromkeys(versions) for result in self._results(app, prompt)]
        json = {"Content-Type": "application/json"}
        try:
            async with self._session.post(self._to, data=encoded(results), headers=json, raise_for_status=True):
                pass
        except aiohttp.ClientResponseError as error:
            raise DemoError(f"the exporter did not take the offline results: it answered {error.status}") from error
        except aiohttp.ClientError as error:
            raise DemoError("the exporter did not take the offline results: the connection broke") from error

    def said(self) -> str:
        """What the suite says of the version that is rolled out."""
        suite, new = self._story.suite, self._story.rollout
        return f"The offline suite {suite.name} passes {suite.passed} of {suite.cases} cases with prompt {new.prompt}."

    def _results(self, app: str, prompt: str) -> Iterator[OfflineResult]:
        story, suite = self._story, self._story.suite
        signatures = tuple(likeness.written(likeness.signature(story.topics[name].question)) for name in suite.topics)
        for model in story.model_versions:
            for evaluator in suite.evaluators:
                yield OfflineResult(
                    suite=suite.name,
                    run_id=f"{app}-{prompt}-{model}",
                    evaluator=evaluator,
                    evaluator_version=self._versions[evaluator],
                    app=app,
                    model_version=model,
                    prompt_version=prompt,
                    cases=suite.cases,
                    passed=suite.passed,
                    signatures=signatures,
                )


def _versions(story: DemoStory) -> Iterator[tuple[str, str]]:
    """Evaluators by name, with the versions that score production: only what is the same instrument is compared."""
    yield from ((name, one.version) for name, one in installed().evaluators.items())
    yield from ((name, rubric.version(story.judge.model)) for name, rubric in shipped().items())
