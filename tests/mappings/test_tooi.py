"""The Dutch register of government organisations comes in through one mapping file, with its days and its ends."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.bodies import bodies
from graph.fate import fate
from graph.resources import folder
from graph.store import OxigraphStore
from graph.tables import map_quads, read_mapping
from graph.terms import D

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


# --- the register's own events, read a second time from its JSON ----------------------------------------------------

ONT = "https://identifier.overheid.nl/tooi/def/ont/"
PROV = "http://www.w3.org/ns/prov#"


def own_days(path: Path) -> dict[str, tuple[str, str]]:
    """Return body → first day ("" since ever) and first day without it ("9999" none), from the file itself."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    versions = {entry["@id"] for entry in entries if ONT + "HistorischeVersie" in entry["@type"]}
    whole = {
        part["@id"]
        for entry in entries if entry["@id"] in versions for part in entry.get(PROV + "specializationOf", ())
    }  # a body with older versions: its "begindatum" is that of the present one  # fmt: skip
    found = {}
    for entry in entries:
        if ONT + "organisatiecode" in entry and entry["@id"] not in versions:
            start = entry.get(ONT + "begindatum", [{"@value": ""}])[0]["@value"]
            end = entry.get(ONT + "einddatum", [{"@value": ""}])[0]["@value"]
            gone = (date.fromisoformat(end) + timedelta(days=1)).isoformat() if end else "9999"
            found[entry["@id"]] = ("" if entry["@id"] in whole else start, gone)
    return found


def own_heirs(path: Path) -> dict[str, tuple[str, str]]:
    """Return ended body → the body that its merger made, and the day, from the file itself."""
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {
        gone["@id"]: (event[PROV + "generated"][0]["@id"], event[ONT + "tijdstipWijziging"][0]["@value"][:10])
        for event in entries if any(kind.endswith("Samenvoeging") for kind in event["@type"])
        for gone in event[PROV + "invalidated"]
    }  # fmt: skip


@pytest.fixture(scope="module")
def board_register(boards: ox.Store) -> OxigraphStore:
    store = OxigraphStore()
    graph = ox.NamedNode("https://example.org/tooi")
    store.load((ox.Quad(q.subject, q.predicate, q.object, graph) for q in boards), 1)
    return store


@pytest.mark.parametrize("day", ["2009-01-01", "2010-12-31", "2011-01-01", "2013-01-01", "2016-06-01", "2026-11-23"])
def test_the_bodies_of_any_day_are_those_of_the_registers_own_days(
    board_register: OxigraphStore, shared: Path, day: str
) -> None:
    own = own_days(shared / "real/netherlands/rwc_waterschappen_compleet_2.jsonld")
    kinds = {value.value for _, _, value, _ in board_register.outgoing(own, (D.bodyKind,))}
    listed = {body.iri for body in bodies(board_register, kinds, date.fromisoformat(day), ("nl",))}
    assert listed == {iri for iri, (start, end) in own.items() if start <= day < end}


def test_whoever_ended_is_succeeded_by_whom_the_registers_own_events_made(
    board_register: OxigraphStore, shared: Path
) -> None:
    own = own_heirs(shared / "real/netherlands/rwc_waterschappen_compleet_2.jsonld")
    assert len(own) == 10
    for gone, (heir, day) in own.items():
        found = fate(board_register, gone, date(2026, 11, 23))
        assert found.ended
        assert str(found.span.end) == day
        assert found.holders == {heir}
        assert not fate(board_register, gone, date.fromisoformat(day) - timedelta(days=1)).ended
