"""Schema migrations: steps in order, each applied once, in one transaction, by whichever replica starts first."""

from typing import Final

import psycopg

from ..errors import StoreError
from ..kinds import KINDS

Steps = tuple[str, ...]

_FIRST: Final = """
CREATE TABLE traces(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, trace_id bytea NOT NULL UNIQUE,
  recorded_at double precision NOT NULL,
  app text NOT NULL, route text NOT NULL, model_version text NOT NULL, prompt_version text NOT NULL,
  spans bytea NOT NULL, document bytea NOT NULL, response_id bytea, conversation_id bytea, asker bytea,
  marks text NOT NULL, version integer NOT NULL);
CREATE INDEX traces_response ON traces(response_id) WHERE response_id IS NOT NULL;
CREATE INDEX traces_conversation ON traces(conversation_id) WHERE conversation_id IS NOT NULL;
CREATE INDEX traces_asker ON traces(asker) WHERE asker IS NOT NULL;
CREATE INDEX traces_found ON traces(recorded_at, id);
CREATE TABLE leases(replica text PRIMARY KEY, fence bigint NOT NULL);
CREATE TABLE progress(replica text PRIMARY KEY, watermark bigint NOT NULL, last_seq bigint NOT NULL);
CREATE TABLE journal(
  replica text NOT NULL, seq bigint NOT NULL, received_at double precision NOT NULL, signal text NOT NULL,
  media_type text NOT NULL, encoding text NOT NULL, body bytea NOT NULL, PRIMARY KEY(replica, seq));
CREATE TABLE totals(
  replica text NOT NULL, family text NOT NULL, labels text NOT NULL, value text NOT NULL, version integer NOT NULL,
  PRIMARY KEY(replica, family, labels));
CREATE TABLE formats(kind text PRIMARY KEY, version integer NOT NULL);
"""
_RECORDS: Final = {
    "clocks": "replica text",
    "content_retention": "replica text",
    "conversations": "replica text, conversation bytea",
    "early_feedback": "replica text, number bigint",
    "erasures": "whom bytea",
    "judge_anchors": "evaluator text, judge_version text, anchor text",
    "judge_drips": "drip text",
    "judge_jobs": "replica text, job bytea",
    "judge_reviews": "evaluator text, judge_version text",
    "judge_samplers": "replica text",
    "judge_standings": "evaluator text",
    "judge_traffic": "evaluator text, judge_version text",
    "offline_gaps": "gap bytea",
    "offline_results": "result bytea",
    "offline_suites": "suite bytea",
    "review_evidence": "trace_id text",
    "review_items": "trace_id text",
}
_IDS: Final = ("feedback_ids", "offline_failures", "tombstones")


def _record_table(name: str, key: str) -> str:
    columns = ", ".join(column.split()[0] for column in key.split(", "))
    return f"""
CREATE TABLE {name}(
  {key.replace(",", " NOT NULL,")} NOT NULL, at double precision NOT NULL, record bytea NOT NULL,
  version integer NOT NULL, PRIMARY KEY({columns}));
"""


def _id_table(name: str) -> str:
    return f"""
CREATE TABLE {name}(key bytea PRIMARY KEY, at double precision NOT NULL);
CREATE INDEX {name}_at ON {name}(at);
"""


_LEDGER: Final = """
CREATE TABLE spent(
  hour bigint NOT NULL, targeted boolean NOT NULL, tokens bigint NOT NULL, micros bigint NOT NULL,
  PRIMARY KEY(hour, targeted));
CREATE TABLE reserved(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, hour bigint NOT NULL, targeted boolean NOT NULL,
  tokens bigint NOT NULL, micros bigint NOT NULL);
CREATE INDEX reserved_hour ON reserved(hour);
"""

STEPS: Final[Steps] = (
    _FIRST + "".join(_record_table(*table) for table in _RECORDS.items()) + "".join(map(_id_table, _IDS)),
    _LEDGER,
)
"""To change the schema append a step; never edit one that was released."""


def migrate(connection: "psycopg.Connection[tuple[object, ...]]", schema: str, steps: Steps = STEPS) -> None:
    """Bring the schema up to date; raises StoreError where it is that of a newer llmq.

    Replicas that start together wait for each other here, and all but the first find nothing to do.
    """
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")  # others migrate first, or there is much to change
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('llmq schema ' || %s, 0))", (schema,))
        quoted = psycopg.sql.Identifier(schema)
        connection.execute(psycopg.sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(quoted))
        connection.execute("CREATE TABLE IF NOT EXISTS schema_version(version integer NOT NULL)")
        row = connection.execute("SELECT version FROM schema_version").fetchone()
        version = int(str(row[0])) if row else 0
        if version > len(steps):
            _refuse(f'the schema "{schema}" is of version {version}')
        for step in steps[version:]:
            connection.execute(step.encode())
        connection.execute("DELETE FROM schema_version")
        connection.execute("INSERT INTO schema_version VALUES (%s)", (len(steps),))
        _learn_formats(connection, schema)


def _learn_formats(connection: "psycopg.Connection[tuple[object, ...]]", schema: str) -> None:
    """Refuse what only a newer llmq can read, and note for older ones what this one writes."""
    for name, version in connection.execute("SELECT kind, version FROM formats"):
        known = KINDS.get(str(name))
        if known is None or known.version < int(str(version)):
            _refuse(f'the schema "{schema}" holds "{name}" of version {version}')
    for kind in KINDS.values():
        connection.execute(
            "INSERT INTO formats VALUES (%s, %s) "
            "ON CONFLICT (kind) DO UPDATE SET version = greatest(formats.version, excluded.version)",
            (kind.name, kind.version),
        )


def _refuse(what: str) -> None:
    raise StoreError("newer", f"{what}, which a newer llmq wrote: upgrade llmq, or name another store.schema")
