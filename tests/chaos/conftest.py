"""One stack for all chaos; each test begins with an empty queue and without faults."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.fleet import Fleet, running_fleet
from tests.chaos.proxy import FaultProxy, running_proxy
from tests.chaos.stack import ChaosStack, chaos_stack
from tests.chaos.ways import WAYS, Way


@pytest.fixture(scope="session")
def one_stack() -> Iterator[ChaosStack]:
    with tempfile.TemporaryDirectory(prefix="analysis-chaos-") as directory:
        path = Path(directory)
        path.chmod(0o711)
        with chaos_stack(path) as stack:
            yield stack


@pytest.fixture
def stack(one_stack: ChaosStack) -> Iterator[ChaosStack]:
    one_stack.clear()
    yield one_stack
    one_stack.heal()


@pytest.fixture
def way(stack: ChaosStack, request: pytest.FixtureRequest) -> Way:
    """HTTP, where a test says nothing else."""
    return WAYS[getattr(request, "param", "http")](stack)


@pytest.fixture
def fleet(stack: ChaosStack, way: Way, tmp_path: Path) -> Iterator[Fleet]:
    """Workers with nothing between them and the stack."""
    with running_fleet(tmp_path, stack, way) as fleet:
        yield fleet
        assert fleet.failures() == []


@pytest.fixture
def proxy(way: Way) -> Iterator[FaultProxy]:
    with running_proxy(way.port, mark=way.mark) as proxy:
        yield proxy


@pytest.fixture
def distant_fleet(stack: ChaosStack, way: Way, proxy: FaultProxy, tmp_path: Path) -> Iterator[Fleet]:
    """Workers that reach the stack through the proxy."""
    with running_fleet(tmp_path, stack, way, proxy) as fleet:
        yield fleet
        assert fleet.failures() == []
