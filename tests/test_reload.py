"""A reload leaves an exporter as a start with the same config would: in every section, in everything that it holds."""

import math
from collections.abc import Mapping

import pytest
import yaml
from msgspec import Struct
from msgspec.structs import astuple, fields

JUDGE = {"enabled": True, "endpoint": "http://127.0.0.1:9/v1", "model": "judge-1"}
CHANGES = {
    "server": {"limits": {"connections": 99, "header": "2s", "body": "3s"}, "hosts": ["llmq"], "shutdown": "4s"},
    "limits": {"body_bytes": "1MiB", "decompressed_bytes": "2MiB", "attributes_per_span": 17, "pending_bytes": "3MiB"},
    "store": {"content": "all", "identifiers": "hash", "retention": {"age": "3d", "content": "1d"}, "journal": "64MiB"},
    "privacy": {"redact": ["email"], "patterns": {"customer": "C-[0-9]{6}"}},
    "assembly": {"grace": "1s", "idle": "5s", "max_traces": 9, "max_bytes": "2MiB"},
    "attributes": {"app": ["team"], "helpers": ["titles"]},
    "metrics": {"birth": "7s"},
    "labels": {"budgets": {"route": 3}, "slices": 11, "expire_after": "1d"},
    "evaluators": {"grounding": {"pass_mark": 0.25}, "repetition": {"enabled": False}},
    "prices": {"m": {"input": 1, "output": 2}},
    "feedback": {"origins": ["https://shop.example"], "rate": {"per_second": 3}, "early": {"items": 5}},
    "judge": {"budget": {"hour": {"tokens": 1000}}, "sampling": [{"rate": 0.5}], "repeat": 0.5},
    "review": {"enabled": True, "claim": "5m", "reasons": {"sad": {"feedback": ["thumbs_down"], "per_day": 3}}},
}
"""By section: what is changed in it."""
OF_THE_RUN = {
    "origin", "url", "ledger", "path", "_path", "store", "_store", "identity", "file", "_file", "folder", "_folder",
    "_ledger", "_tasks", "_now", "now", "clock", "scrapes", "writer", "_writer", "written", "_batches", "_born",
    "_known_from", "_gathering", "_closing", "in_work", "_in_work", "quarantine",
}  # fmt: skip
"""Attributes that differ between two runs: where they store, and when they began."""


def state(value, seen=None):
    """What an object of ours holds, as plain data; each object once, where it is met first."""
    seen = set() if seen is None else seen
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if value is None or isinstance(value, str | bytes | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): state(one, seen) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, tuple | list):
        return [state(one, seen) for one in value]
    if isinstance(value, Struct):
        held = dict(zip([one.name for one in fields(value)], astuple(value), strict=True))
    elif type(value).__module__.startswith("exporter.") and id(value) not in seen:
        seen.add(id(value))
        held = vars(value) if hasattr(value, "__dict__") else {}
    else:
        return type(value).__name__
    return {name: state(one, seen) for name, one in held.items() if name not in OF_THE_RUN}


def differences(ours, theirs, path="exporter"):
    """The paths at which two states differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        both = [(name, ours.get(name, "nothing"), theirs.get(name, "nothing")) for name in ours | theirs]
        return [found for name, one, other in both for found in differences(one, other, f"{path}.{name}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return differences(dict(enumerate(ours)), dict(enumerate(theirs)), path)
    return [] if ours == theirs else [f"{path}: {ours!r} != {theirs!r}"]


async def gauges(exporter):
    lines = (await (await exporter.client.get("/metrics")).text()).splitlines()
    names = {line.split()[2] for line in lines if line.startswith("# TYPE") and line.endswith(" gauge")}
    return {line.rpartition(" ")[0] for line in lines if line.split("{")[0].split(" ")[0] in names}


@pytest.mark.parametrize("section", CHANGES)
async def test_a_reload_leaves_what_a_fresh_start_has(run_exporter, tmp_path, section):
    before = {"judge": JUDGE} if section == "judge" else {"server": {"hosts": ["other"]}}
    after = {section: (JUDGE | CHANGES[section]) if section == "judge" else CHANGES[section]}
    reloaded = await run_exporter(before)
    was = state(reloaded.exporter)
    reloaded.reload(after)
    fresh = await run_exporter(after, store="fresh.db")
    if section == "judge":  # what is measured of it is shown now and then
        reloaded.exporter.calibrating.show()
        fresh.exporter.calibrating.show()
    now = state(reloaded.exporter)
    assert differences(was, now) != []
    assert differences(now, state(fresh.exporter)) == []
    assert await gauges(reloaded) == await gauges(fresh)


async def test_every_section_is_compared(run_exporter):
    exporter = await run_exporter()
    shown = await exporter.client.get("/config")
    assert set(yaml.safe_load(await shown.text())) - {"version", "slos", "alerting"} <= set(CHANGES)
