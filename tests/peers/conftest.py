"""The real programs around llmq, built from their Go modules by `make peers`."""

from pathlib import Path

import pytest

PEERS = Path(__file__).parents[2] / ".peers"


@pytest.fixture(scope="session")
def peer():
    """The path of a program, by its name."""

    def found(name):
        program = PEERS / "bin" / name
        assert program.exists(), f"{name} is not built: make peers, which needs Go 1.26 or newer"
        return str(program)

    return found


@pytest.fixture(scope="session")
def schemas():
    """Where kubeconform finds the schemas of Kubernetes' kinds."""
    return f"{PEERS}/schemas/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"
