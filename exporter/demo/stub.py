"""A model behind an OpenAI-compatible endpoint, whose answers follow from the prompt. Knows the story, not who asks."""

import asyncio
import json
import random
import time
import uuid
from typing import Any

from aiohttp import web

from .story import DemoStory

FAITHFUL = "only from the documents"
"""A prompt that says so is answered from the documents; a model that is not told to stay with them does not."""

_REFUSAL = "I'm sorry, but I can't help with that."
_SECONDS = (0.05, 0.4)
_FORGETFUL = 0.1


class Model:
    """The stub: chat completions for the topics of a story."""

    def __init__(self, story: DemoStory, chance: random.Random) -> None:
        self._story = story
        self._chance = chance

    def app(self) -> web.Application:
        """The web application that answers."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        return app

    async def _complete(self, request: web.Request) -> web.Response:
        asked = json.loads(await request.text())
        await asyncio.sleep(self._chance.uniform(*_SECONDS))
        return web.json_response(self._completion(asked))

    def _completion(self, asked: dict[str, Any]) -> dict[str, Any]:
        texts = [str(message["content"]) for message in asked["messages"]]
        answer = self._answer(texts[0], texts[-1])
        tokens = {"prompt_tokens": sum(map(_tokens, texts)), "completion_tokens": _tokens(answer)}
        message = {"role": "assistant", "content": answer}
        return {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self._chance.choice(self._story.model_versions),
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": tokens | {"total_tokens": sum(tokens.values())},
        }

    def _answer(self, prompt: str, said: str) -> str:
        topic = next((each for each in self._story.topics.values() if said.endswith(each.question)), None)
        if topic is None:
            return "The documents do not say."
        slips, drawn = self._story.slips, self._chance.random()
        if drawn < slips.refuse:
            return _REFUSAL
        if drawn < slips.refuse + slips.garble:
            return topic.answer[: len(topic.answer) // 2]
        if drawn < slips.refuse + slips.garble + slips.invent:
            return topic.invention
        faithful = FAITHFUL in prompt or self._chance.random() < _FORGETFUL
        return topic.answer if faithful else topic.invention


def _tokens(text: str) -> int:
    return len(text) // 4 + 1
