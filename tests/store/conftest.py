"""Start one Oxigraph server for all tests of the stores, and empty it before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.store.serving import Oxigraph


@pytest.fixture(scope="session")
def running() -> Iterator[Oxigraph]:
    server = Oxigraph()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(running: Oxigraph) -> Oxigraph:
    """Return a server with nothing in it."""
    running.update("DROP ALL")
    return running
