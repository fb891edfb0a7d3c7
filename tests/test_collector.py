"""The collector's and Jaeger's configs without their programs: documented keys, whole pipelines, sizes that fit."""

from pathlib import Path

import pytest
import yaml

from exporter.config import load

ROOT = Path(__file__).parent.parent
CONTAINER = ROOT / "deploy" / "compose"
OTELCOL = yaml.safe_load((CONTAINER / "otelcol.yaml").read_text())
JAEGER = yaml.safe_load((CONTAINER / "jaeger.yaml").read_text())
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
MIB = 1 << 20


def any_of(names):
    """Settings that may have any value."""
    return dict.fromkeys(names.split())


# The settings that the documentation of collector 0.160 and Jaeger 2.20 names, of the components in use.
GRPC = any_of("""endpoint transport tls keepalive auth include_metadata max_recv_msg_size_mib max_concurrent_streams
    read_buffer_size write_buffer_size""")
HTTP = any_of("""endpoint tls cors auth include_metadata max_request_body_size compression_algorithms response_headers
    traces_url_path metrics_url_path logs_url_path read_timeout read_header_timeout write_timeout idle_timeout""")
QUEUE = any_of("enabled num_consumers wait_for_result block_on_overflow sizer queue_size storage") | {
    "batch": any_of("flush_timeout min_size max_size sizer")
}
OTLP_HTTP = any_of("""endpoint traces_endpoint metrics_endpoint logs_endpoint compression encoding timeout headers tls
    auth read_buffer_size write_buffer_size""") | {
    "retry_on_failure": any_of("enabled initial_interval max_interval max_elapsed_time multiplier"),
    "sending_queue": QUEUE,
}
PIPELINE = any_of("receivers processors exporters")
DOCUMENTED = {
    "receivers": {"otlp": {"protocols": {"grpc": GRPC, "http": HTTP}}},
    "processors": {
        "memory_limiter": any_of("check_interval limit_mib spike_limit_mib limit_percentage spike_limit_percentage")
    },
    "exporters": {"otlp_http": OTLP_HTTP, "jaeger_storage_exporter": any_of("trace_storage queue retry_on_failure")},
    "extensions": {
        "jaeger_storage": {"backends": {"newest": {"memory": any_of("max_traces")}}},
        "jaeger_query": {"storage": any_of("traces traces_archive metrics")},
        "healthcheckv2": {"use_v2": None, "http": HTTP, "grpc": GRPC},
    },
    "service": {
        "extensions": None,
        "pipelines": {"traces": PIPELINE, "logs": PIPELINE, "metrics": PIPELINE},
        "telemetry": {"metrics": any_of("level readers"), "logs": None, "resource": None},
    },
}

each_config = pytest.mark.parametrize("config", [OTELCOL, JAEGER], ids=["otelcol", "jaeger"])


def undocumented(config, known, where="$"):
    """Every key that is not documented, by its path; otlp_http/llmq is an otlp_http."""
    if known is None or not isinstance(config, dict):
        return
    for key, value in config.items():
        kind = key.partition("/")[0]
        if kind in known:
            yield from undocumented(value, known[kind], f"{where}.{key}")
        else:
            yield f"{where}.{key}"


@each_config
def test_every_setting_is_documented(config):
    assert list(undocumented(config, DOCUMENTED)) == []


def test_a_misspelt_setting_would_be_found():
    misspelt = {"exporters": {"otlp_http/llmq": {"sending_queue": {"queue_sise": 1}}}}
    assert list(undocumented(misspelt, DOCUMENTED)) == ["$.exporters.otlp_http/llmq.sending_queue.queue_sise"]


@each_config
def test_pipelines_use_what_is_defined_and_all_of_it(config):
    service = config["service"]
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in service["pipelines"].values() for name in pipeline.get(kind, [])}
        assert used == set(config.get(kind, {}))
    assert set(service.get("extensions", [])) == set(config.get("extensions", {}))


def test_llmq_gets_every_signal_and_jaeger_the_traces():
    pipelines = OTELCOL["service"]["pipelines"]
    fed = {signal for signal, pipeline in pipelines.items() if "otlp_http/llmq" in pipeline["exporters"]}
    assert fed == {"traces", "logs"} == set(pipelines)
    assert [signal for signal, pipeline in pipelines.items() if "otlp_http/jaeger" in pipeline["exporters"]] == [
        "traces"
    ]


def test_jaeger_stores_where_it_looks():
    [backend] = JAEGER["extensions"]["jaeger_storage"]["backends"]
    assert JAEGER["extensions"]["jaeger_query"]["storage"]["traces"] == backend
    assert JAEGER["exporters"]["jaeger_storage_exporter"]["trace_storage"] == backend


def queues():
    return {name: exporter["sending_queue"] for name, exporter in OTELCOL["exporters"].items()}


def test_batches_are_smaller_than_what_llmq_takes():
    batch = queues()["otlp_http/llmq"]["batch"]
    assert {part["sizer"] for queue in queues().values() for part in (queue, queue["batch"])} == {"bytes"}
    assert batch["min_size"] <= batch["max_size"] < load(CONTAINER / "llmq.yaml").limits.body_bytes


def test_full_queues_fit_the_memory_of_the_collector():
    limiter = OTELCOL["processors"]["memory_limiter"]
    full = sum(queue["queue_size"] for queue in queues().values())
    assert full <= (limiter["limit_mib"] - limiter["spike_limit_mib"]) * MIB
    assert limiter["limit_mib"] < int(COMPOSE["services"]["otelcol"]["mem_limit"].removesuffix("m"))
    for pipeline in OTELCOL["service"]["pipelines"].values():
        assert pipeline["processors"][0] == "memory_limiter"


def test_llmq_is_tried_for_ever_and_jaeger_never_holds_up_llmq():
    assert OTELCOL["exporters"]["otlp_http/llmq"]["retry_on_failure"]["max_elapsed_time"] == "0s"
    assert OTELCOL["exporters"]["otlp_http/jaeger"]["retry_on_failure"]["enabled"] is False
