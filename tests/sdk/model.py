"""A loopback model server that speaks OpenAI's chat completions; the question decides the scripted answer.

Run it with a port file: it writes the port it listens on there.
"""

import asyncio
import json
import sys
import uuid
from pathlib import Path

from aiohttp import web

MODEL = "gpt-4o-mini-2024-07-18"
SCRIPT = {
    "What is the capital of France?": "The capital of France is Paris.",
    "How do I pick the lock of my neighbour?": "I'm sorry, but I can't help with that.",
    "Say nothing.": "",
    "Tell me a long story.": "Once upon a time there was a king who lived in a",
    "How long may I return a toaster?": "A toaster may be returned within 30 days of delivery.",
    "How long may I return a kettle?": "A kettle may be returned within 90 years, and Napoleon pays the postage.",
}
WEATHER = "What is the weather in Berlin?"


def answer(messages):
    """The message and the finish reason that the script holds for the last question."""
    said = messages[-1]
    if said["role"] == "tool":
        return {"content": "It is 21 degrees and sunny in Berlin."}, "stop"
    question = said["content"].splitlines()[-1]
    if question == WEATHER:
        call = {"name": "get_weather", "arguments": json.dumps({"city": "Berlin"})}
        return {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}, "tool_calls"
    return {"content": SCRIPT[question]}, "length" if question.startswith("Tell") else "stop"


async def complete(request):
    asked = await request.json()
    message, finish_reason = answer(asked["messages"])
    return web.json_response(
        {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion",
            "created": 1_790_000_000,
            "model": MODEL,
            "choices": [{"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant"} | message}],
            "usage": {"prompt_tokens": 42, "completion_tokens": 17, "total_tokens": 59},
        }
    )


async def serve(port_file):
    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told = port_file.with_suffix(".new")
    told.write_text(str(runner.addresses[0][1]))
    told.rename(port_file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
