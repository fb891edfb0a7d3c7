"""Feedback that the real SDKs of other tools send, pointed at a running exporter with their own keys."""

import asyncio
import os
from pathlib import Path

import pytest

SDK = Path(__file__).parent / "sdk"
PYTHON = Path(__file__).parent.parent / ".venv-sdk" / "bin" / "python"
TOKEN = "feedback-token-of-some-length"
UP, DOWN = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d"
TOOLS = ("langfuse", "phoenix", "langsmith", "mlflow")


def environment(url):
    """What each SDK needs to find the exporter, and to call nobody else."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "NO_PROXY": "127.0.0.1",
        "LANGFUSE_BASE_URL": url,
        "LANGFUSE_PUBLIC_KEY": "any",
        "LANGFUSE_SECRET_KEY": TOKEN,
        "LANGFUSE_TRACING_ENABLED": "true",
        "PHOENIX_BASE_URL": url,
        "PHOENIX_COLLECTOR_ENDPOINT": url,
        "PHOENIX_API_KEY": TOKEN,
        "LANGSMITH_ENDPOINT": url,
        "LANGSMITH_API_KEY": TOKEN,
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_TRACKING_TOKEN": TOKEN,
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


async def sent(url, tool, folder):
    """Run the SDK of a tool to its end."""
    if not PYTHON.exists():
        pytest.fail("this test needs the SDKs in a virtual environment of their own: make sdk")
    process = await asyncio.create_subprocess_exec(
        str(PYTHON),
        str(SDK / "apps" / "feedback.py"),
        tool,
        UP,
        DOWN,
        env=environment(url),
        cwd=folder,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 0, errors.decode()
    return errors.decode()


@pytest.mark.parametrize("tool", TOOLS)
async def test_what_users_said_counts_where_the_sdk_is_pointed_at_llmq(run_exporter, monkeypatch, tmp_path, tool):
    monkeypatch.setenv("TOKEN", TOKEN)
    token = {"name": "app", "env": "TOKEN", "roles": ["feedback", "ingest", "read"]}
    exporter = await run_exporter({"server": {"tokens": [token]}, "store": {"content": "all"}})
    headers = {"Authorization": f"Bearer {TOKEN}"}
    said = [{"trace_id": one, "app": "shop", "question": "Where is it?", "answer": "There."} for one in (UP, DOWN)]
    assert (await exporter.client.post("/v1/interactions", json=said, headers=headers)).status == 200
    await exporter.pass_time(3)
    errors = await sent(str(exporter.client.make_url("")).rstrip("/"), tool, tmp_path)
    assert "rror" not in errors, errors
    found = {}
    for trace_id in (UP, DOWN):
        response = await exporter.client.get(f"/api/traces/{trace_id}", headers=headers)
        found[trace_id] = [(one["signal"], one.get("comment")) for one in (await response.json())["feedback"]]
    assert found == {UP: [("thumbs_up", "well said")], DOWN: [("thumbs_down", None)]}
