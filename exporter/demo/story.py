"""The demo's story as data: topics, prompts, routes and what is rolled out. Knows no HTTP, no spans and no clock."""

from collections.abc import Mapping
from importlib.resources import files

import msgspec
from msgspec import Struct


class Topic(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked about, the documents that are found, the answer in them, and one that is nowhere in them."""

    question: str
    documents: tuple[str, ...]
    answer: str
    invention: str


class Route(Struct, frozen=True, forbid_unknown_fields=True):
    """What an application serves, how often in proportion to the others, and the prompt version that it uses."""

    app: str
    route: str
    weight: int
    prompt: str
    topics: tuple[str, ...]
    json: bool = False


class Rollout(Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt version that a share of a route's users get from some moment on."""

    app: str
    route: str
    prompt: str
    share: float


class Slips(Struct, frozen=True, forbid_unknown_fields=True):
    """How often an answer goes wrong whatever the prompt: declined, invented, or cut into nonsense."""

    refuse: float
    invent: float
    garble: float


class StoryUsers(Struct, frozen=True, forbid_unknown_fields=True):
    """What users do with an answer, as shares: ``rate`` it, ``mistaken`` in that, ``change_mind`` about it; ``edit`` a
    right one; ask ``again`` after a wrong one, half of them in the ``insisting`` words. All else leave."""

    rate: float
    mistaken: float
    change_mind: float
    edit: float
    again: float
    insisting: str


class Judge(Struct, frozen=True, forbid_unknown_fields=True):
    """The model that judges, and its known errors: ``length_bias`` is what each doubling of a length is worth,
    ``contradicts`` how often a second look says the opposite, ``declines`` how often there is no verdict."""

    model: str
    sensitivity: float
    specificity: float
    length_bias: float
    contradicts: float
    declines: float


class StorySuite(Struct, frozen=True, forbid_unknown_fields=True):
    """What the offline suite says of every version before it goes out, and the topics that it asks about."""

    name: str
    evaluators: tuple[str, ...]
    cases: int
    passed: int
    topics: tuple[str, ...]


class StoryReviewers(Struct, frozen=True, forbid_unknown_fields=True):
    """The people who label, and how often each of them is ``mistaken``."""

    names: tuple[str, ...]
    mistaken: float


class DemoStory(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that happens; ``prompts`` are system prompts by version, ``openings`` are how questions begin."""

    model: str
    model_versions: tuple[str, ...]
    slips: Slips
    prompts: Mapping[str, str]
    routes: tuple[Route, ...]
    rollout: Rollout
    openings: tuple[str, ...]
    users: StoryUsers
    judge: Judge
    suite: StorySuite
    reviewers: StoryReviewers
    topics: Mapping[str, Topic]

    def apps(self) -> tuple[str, ...]:
        """The applications, in the order of their first route."""
        return tuple(dict.fromkeys(route.app for route in self.routes))

    def is_right(self, answer: str) -> bool:
        """The truth of an answer: right is what the documents say, in full."""
        return any(answer.strip() == topic.answer for topic in self.topics.values())


def told() -> DemoStory:
    """The story that is shipped."""
    return msgspec.yaml.decode(files(__package__).joinpath("story.yaml").read_bytes(), type=DemoStory)
