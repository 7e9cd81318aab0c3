"""The Dutch register of government organisations comes in through one mapping file, with its days and its ends."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.resources import folder
from graph.tables import map_quads, read_mapping

BODY = "https://identifier.overheid.nl/tooi/id/waterschap/"
PREFIXES = (
    "PREFIX d: <https://w3id.org/diaba/ns#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "
    "PREFIX skosxl: <http://www.w3.org/2008/05/skos-xl#> PREFIX skos: <http://www.w3.org/2004/02/skos/core#> "
    f"PREFIX w: <{BODY}> "
)


def mapped(path: Path) -> ox.Store:
    store = ox.Store()
    mapping = read_mapping(folder("ontology") / "mappings" / "tooi.rq")
    store.bulk_extend(map_quads(mapping, ox.parse(path=path, format=ox.RdfFormat.JSON_LD)))
    return store


@pytest.fixture(scope="module")
def boards(shared: Path) -> ox.Store:
    return mapped(shared / "real/netherlands/rwc_waterschappen_compleet_2.jsonld")


def ask(store: ox.Store, variables: str, pattern: str) -> set[tuple[str, ...]]:
    rows = store.query(f"{PREFIXES} SELECT {variables} WHERE {{ {pattern} }}")
    return {tuple(row[name[1:]].value if row[name[1:]] else "" for name in variables.split()) for row in rows}


def counts(store: ox.Store) -> dict[str, int]:
    return {
        name: len(ask(store, "?x", f"?x a d:{name}"))
        for name in ("Agency", "Name", "Code", "ChangeEvent", "Succession", "LegalInstrument")
    }


def test_the_water_boards_come_in_whole(boards: ox.Store) -> None:
    assert counts(boards) == {
        "Agency": 32,
        "Name": 33,
        "Code": 64,
        "ChangeEvent": 6,
        "Succession": 10,
        "LegalInstrument": 1,
    }


def test_the_provinces_come_in_whole(shared: Path) -> None:
    store = mapped(shared / "real/netherlands/rwc_provincies_compleet_1.jsonld")
    assert counts(store)["Agency"] == 12
    assert counts(store)["Code"] == 24
    assert not ask(store, "?body", "?body d:from|d:until ?day")
    assert ask(store, "?body", "?body d:bodyKind ?kind . ?kind d:level <https://w3id.org/diaba/level/province>")


def test_a_board_whose_last_day_was_in_december_is_gone_on_new_year(boards: ox.Store) -> None:
    assert ask(boards, "?day", "w:ws0151 d:until ?day") == {("2016-01-01",)}
    assert len(ask(boards, "?body", "?body a d:Agency ; d:until ?day")) == 11


def test_a_new_board_starts_on_its_first_day(boards: ox.Store) -> None:
    assert ask(boards, "?day", "w:ws0664 d:from ?day") == {("2016-01-01",)}
    assert len(ask(boards, "?body", "?body a d:Agency ; d:from ?day")) == 5


def test_a_board_that_changed_its_name_is_older_than_the_name(boards: ox.Store) -> None:
    assert not ask(boards, "?day", "w:ws0155 d:from ?day")
    names = ask(
        boards,
        "?text ?from ?until",
        "?name d:nameOf w:ws0155 ; skosxl:literalForm ?text . "
        "OPTIONAL { ?name d:from ?from } OPTIONAL { ?name d:until ?until }",
    )
    assert names == {
        ("Hoogheemraadschap Amstel, Gooi en Vecht", "", "2017-01-01"),
        ("waterschap Amstel, Gooi en Vecht", "2017-01-01", ""),
    }


def test_a_change_of_name_says_its_legal_basis(boards: ox.Store) -> None:
    renames = ask(
        boards,
        "?event ?day ?law",
        "?event d:changeKind <https://w3id.org/diaba/change/rename> ; d:effectiveOn ?day ; d:basis ?law",
    )
    gazette = "https://zoek.officielebekendmakingen.nl/prb-2016-6722.html"
    assert renames == {(BODY + "wzg_91736108", "2017-01-01", gazette)}


def test_the_bodies_of_a_merger_are_succeeded_by_the_one_it_made(boards: ox.Store) -> None:
    heirs = "?s d:predecessor ?before ; d:successor w:ws0661 ; d:event/d:effectiveOn ?day"
    assert ask(boards, "?before ?day", heirs) == {(BODY + "ws0524", "2011-01-01"), (BODY + "ws0536", "2011-01-01")}


def test_a_body_ends_on_the_day_of_the_event_that_ends_it(boards: ox.Store) -> None:
    assert len(ask(boards, "?body", "?s d:predecessor ?body ; d:event/d:effectiveOn ?day . ?body d:until ?day")) == 10
