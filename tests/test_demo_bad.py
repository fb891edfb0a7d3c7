"""Bad answers for a running llmq: each counts as bad, so that a page follows."""

import asyncio
import subprocess
import sys

from aiohttp import web
from aiohttp.test_utils import TestServer

from exporter.demo import bad


async def sent(count):
    """What ``llmq demo bad`` sends."""
    taken = []

    async def take(request):
        taken.extend(await request.json())
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/v1/interactions", take)
    async with TestServer(app) as server:
        said = []
        await asyncio.to_thread(bad.send, str(server.make_url("/")), count, said.append)
    return taken, "\n".join(said)


async def test_each_fails_grounding_and_is_found_where_it_says(run_exporter):
    exporter = await run_exporter()
    interactions, said = await sent(12)
    assert len({one["id"] for one in interactions}) == 12
    assert (await exporter.post("/v1/interactions", json=interactions))[0] == 200
    await exporter.pass_time(3)
    assert await exporter.total("llmq_evaluations_total", evaluator="grounding", verdict="fail", app=bad.APP) == 12
    query = said[said.index("/answers?") + len("/answers?") :].splitlines()[0]
    async with exporter.client.get(f"/api/answers?{query}") as response:
        assert len((await response.json())["answers"]) == 12


def test_where_no_llmq_listens_it_says_so_with_exit_code_1():
    command = [sys.executable, "-m", "exporter", "demo", "bad", "--to", "http://127.0.0.1:9"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("llmq demo bad: http://127.0.0.1:9: cannot be reached")
    assert done.stdout == ""
