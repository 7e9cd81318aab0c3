"""Give the tests of the owner a data directory with the ontology alone, and files to load into it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from graph.register import Register


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("owner") / "data"
    Register.create(data, pack=None).close()
    return data


@pytest.fixture
def data(empty: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(empty, tmp_path / "data"))
