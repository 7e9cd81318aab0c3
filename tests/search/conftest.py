"""Load the small register of this folder and index it in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from graph.resources import folder
from graph.search import SearchIndex, all_nodes, documents_of, read_abbreviations
from graph.store import OxigraphStore
from graph.words import Abbreviations
from tests.search.statements import parse

HERE = Path(__file__).parent
TODAY = date(2026, 11, 23)

Find = Callable[..., list[str]]


@pytest.fixture(scope="session")
def abbreviations() -> Abbreviations:
    return read_abbreviations(folder("ontology") / "vn" / "abbreviations.csv")


@pytest.fixture
def store() -> OxigraphStore:
    store = OxigraphStore()
    store.load(parse((HERE / "register.ttl").read_text("utf-8")), 1)
    return store


@pytest.fixture
def index(store: OxigraphStore, abbreviations: Abbreviations) -> SearchIndex:
    index = SearchIndex(None, abbreviations)
    index.rebuild(documents_of(store, all_nodes(store), ("vi", "en")), 1)
    return index


@pytest.fixture
def find(index: SearchIndex) -> Find:
    """Search as of today; give short names instead of IRIs, in order."""

    def find(text: str, **options: object) -> list[str]:
        options.setdefault("as_of", TODAY)
        return [hit.iri.removeprefix("https://example.org/") for hit in index.search(text, **options)]  # type: ignore[arg-type]

    return find
