"""Hold a register with the Vietnam pack, and a small one with everything that an export may meet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.register import Register

HERE = Path(__file__).parent
SOURCE = "https://example.org/portal"


@pytest.fixture(scope="session")
def vietnam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    """Return a register with the Vietnam pack."""
    with Register.create(tmp_path_factory.mktemp("vietnam") / "data") as register:
        yield register


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    """Return a register with a portal that holds one of each that DCAT knows, some of it broken."""
    with Register.create(tmp_path_factory.mktemp("portal") / "data", pack=None) as register:
        register.load([HERE / "portal.ttl"], source=SOURCE)
        yield register
