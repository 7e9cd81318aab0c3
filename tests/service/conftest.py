"""Give the service's tests one small register, opened once, and a client of the app over it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from graph.register import Register
from service.app import create_app
from service.settings import Settings
from tests.service.serving import client_of
from tests.service.small import make_small


@pytest.fixture(scope="session")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    """Return the small register, open."""
    with Register.open(make_small(tmp_path_factory.mktemp("service") / "data")) as register:
        yield register


@pytest.fixture(scope="session")
def client(register: Register) -> Iterator[httpx.Client]:
    """Return a client of the service over the small register."""
    with client_of(create_app(Settings(), register.reader, register)) as client:
        yield client
