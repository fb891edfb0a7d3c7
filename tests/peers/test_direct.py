"""Exporters in Go, without anything between them and llmq: the SDK's over gRPC, the Collector's over both."""

import socket
import subprocess
from contextlib import ExitStack

import pytest
import yaml

TRACES = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def exporter(killable):
    """A running llmq and its gRPC address."""
    address = f"127.0.0.1:{free_port()}"
    running = killable({"server": {"grpc": address}, "assembly": {"grace": "200ms", "idle": "5s"}})
    return running, address


def send(peer, address):
    done = subprocess.run(
        [peer("sender"), address, "direct", str(TRACES)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_go_sdk_sends_over_grpc(peer, exporter):
    running, address = exporter
    send(peer, address)
    running.wait_until(lambda: running.total("llmq_requests_total", app="direct") >= TRACES)
    answered = {"protocol": "grpc", "code": "200", "signal": "traces"}
    assert running.total("llmq_exporter_requests_total", **answered) == 2 * TRACES
    assert running.total("llmq_exporter_requests_total") == 2 * TRACES


@pytest.fixture
def collector(peer, tmp_path):
    """Starts a Collector with one exporter; returns the address that it takes gRPC at."""
    with ExitStack() as started:

        def start(kind, settings):
            address = f"127.0.0.1:{free_port()}"
            config = tmp_path / "otelcol.yaml"
            config.write_text(
                yaml.safe_dump(
                    {
                        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": address}}}},
                        "exporters": {kind: settings | {"retry_on_failure": {"max_elapsed_time": "0s"}}},
                        "service": {
                            "telemetry": {"metrics": {"level": "none"}},
                            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": [kind]}},
                        },
                    }
                )
            )
            with (tmp_path / "otelcol.log").open("wb") as log:
                process = subprocess.Popen([peer("otelcol"), "--config", str(config)], stdout=log, stderr=log)
            started.callback(process.wait)
            started.callback(process.kill)
            return address

        yield start


@pytest.mark.parametrize("compression", ["gzip", "zstd", "deflate", "zlib", "none"])
def test_the_collector_sends_over_http(peer, exporter, collector, compression):
    running, _ = exporter
    send(peer, collector("otlp_http", {"endpoint": running.url, "compression": compression}))
    running.wait_until(lambda: running.total("llmq_requests_total", app="direct") >= TRACES)
    assert running.total("llmq_exporter_requests_total", code="200", protocol="http") == 2 * TRACES


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_the_collector_sends_over_grpc(peer, exporter, collector, compression):
    running, address = exporter
    settings = {"endpoint": address, "tls": {"insecure": True}, "compression": compression}
    send(peer, collector("otlp_grpc", settings))
    running.wait_until(lambda: running.total("llmq_requests_total", app="direct") >= TRACES)
    assert running.total("llmq_exporter_requests_total", code="200", protocol="grpc") == 2 * TRACES
