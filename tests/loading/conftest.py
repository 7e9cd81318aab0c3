"""Give the tests of loading an empty register and a way to load a text."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.register import Register
from graph.sources import LoadReport

PREFIXES = """
@prefix d: <https://w3id.org/diaba/ns#> .
@prefix x: <https://example.org/> .
@prefix role: <https://w3id.org/diaba/role/> .
@prefix conf: <https://w3id.org/diaba/confidence/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""
SOURCE = "https://example.org/source"

Load = Callable[..., LoadReport]


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory that holds the ontology alone, to be copied."""
    data = tmp_path_factory.mktemp("empty") / "data"
    Register.create(data, pack=None).close()
    return data


@pytest.fixture
def register(empty: Path, tmp_path: Path) -> Iterator[Register]:
    shutil.copytree(empty, tmp_path / "data")
    with Register.open(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def load(register: Register, tmp_path: Path) -> Load:
    """Return a function that loads Turtle (or another format by ``suffix``) as a source."""
    count = iter(range(1000))

    def load_text(text: str, *, source: str | None = SOURCE, suffix: str = ".ttl", **options: Any) -> LoadReport:
        path = tmp_path / f"load-{next(count)}{suffix}"
        path.write_text((PREFIXES if suffix in {".ttl", ".trig"} else "") + text, "utf-8")
        return register.load([path], source=source, **options)

    return load_text


def state_of(register: Register) -> str:
    """Return a hash of everything the register holds: journal, graph with all its derived parts, history, index."""
    lines = [str(register.revision), str(register.reader.search.revision)]
    for reader in (register.reader.graph, register.reader.history):
        rows = reader.query("SELECT ?g ?s ?p ?o { GRAPH ?g { ?s ?p ?o } }")
        lines += sorted(" ".join(str(term) for term in row) for row in rows)  # type: ignore[union-attr]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
