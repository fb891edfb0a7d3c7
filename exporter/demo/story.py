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


class Story(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that happens; ``prompts`` are system prompts by version."""

    model: str
    model_versions: tuple[str, ...]
    slips: Slips
    prompts: Mapping[str, str]
    routes: tuple[Route, ...]
    rollout: Rollout
    topics: Mapping[str, Topic]

    def apps(self) -> tuple[str, ...]:
        """The applications, in the order of their first route."""
        return tuple(dict.fromkeys(route.app for route in self.routes))


def told() -> Story:
    """The story that is shipped."""
    return msgspec.yaml.decode(files(__package__).joinpath("story.yaml").read_bytes(), type=Story)
