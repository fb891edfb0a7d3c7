"""The configs that ship, read by current versions of the programs that they are for."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COLLECTOR = ROOT / "deploy" / "collector"


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("files", ["agent", "gateway", "gateway sampling", "gateway store"])
def test_the_collector_reads_its_configs(peer, files, tmp_path):
    flags = [flag for name in files.split() for flag in ("--config", str(COLLECTOR / f"{name}.yaml"))]
    done = run(peer("otelcol"), "validate", *flags, env={**os.environ, "OTELCOL_QUEUE": str(tmp_path)})
    assert done.returncode == 0, done.stderr


def test_the_collector_does_not_read_a_misspelt_setting(peer, tmp_path):
    misspelt = tmp_path / "gateway.yaml"
    misspelt.write_text((COLLECTOR / "gateway.yaml").read_text().replace("block_on_overflow", "block_on_overflo"))
    done = run(
        peer("otelcol"), "validate", "--config", str(misspelt), env={**os.environ, "OTELCOL_QUEUE": str(tmp_path)}
    )
    assert done.returncode != 0
    assert "block_on_overflo" in done.stderr


def test_prometheus_3_reads_the_rules(peer):
    files = sorted(map(str, (ROOT / "alerts").glob("*.rules.yaml")))
    done = run(peer("promtool"), "check", "rules", *files)
    assert (done.returncode, "FAILED" in done.stdout + done.stderr) == (0, False), done.stderr
    assert len(files) >= 9


@pytest.mark.parametrize("cases", sorted((ROOT / "tests" / "rules").glob("*.test.yaml")), ids=lambda path: path.name)
def test_the_rules_pass_their_cases_under_prometheus_3(peer, cases):
    done = run(peer("promtool"), "test", "rules", str(cases))
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_reads_its_config(peer):
    done = run(peer("amtool"), "check-config", str(ROOT / "alerts" / "alertmanager.yml"))
    assert done.returncode == 0, done.stdout + done.stderr
