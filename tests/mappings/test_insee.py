"""The French register of changes of communes comes in through one mapping, its three days kept apart."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.evidence import gather
from graph.fate import fate
from graph.labels import labels
from graph.model import Evidence
from graph.resources import folder
from graph.store import OxigraphStore
from graph.succession import areas_on
from graph.tables import map_table, read_mapping
from graph.terms import DCAT, RDF, D

FR = "https://w3id.org/diaba/fr/"
GRAPH = ox.NamedNode("https://example.org/insee")
COLUMNS = [
    "DEP", "AR", "CT", "COM", "LEG", "JO", "EFF", "DTR", "MOD", "C_LOFF", "C_LANC", "NBCOM", "RANGCOM", "COMECH",
    "POPECH", "SUECH", "DEPANC", "ARRANC", "CTANC", "TNCCOFF", "NCCOFF", "TNCCANC", "NCCANC",
]  # fmt: skip


def loaded(path: Path, *more: ox.Quad) -> OxigraphStore:
    mapping = read_mapping(folder("ontology") / "mappings" / "insee-communes.rq")
    store = OxigraphStore()
    quads = map_table(path, mapping, GRAPH.value)
    store.load([*(ox.Quad(q.subject, q.predicate, q.object, GRAPH) for q in quads), *more], 1)
    return store


@pytest.fixture(scope="module")
def register(shared: Path) -> OxigraphStore:
    return loaded(shared / "real/france/communes-changes-first-20.tsv")


def said(store: OxigraphStore, node: str, predicate: str) -> set[str]:
    return {value.value for _, _, value, _ in store.outgoing([FR + node], (predicate,))}


def test_the_day_of_the_act_of_the_journal_and_of_effect_are_kept_apart(register: OxigraphStore) -> None:
    act = "law/01/A29-09-2015/2016-01-01"
    assert said(register, act, D.issuedOn) == {"2015-09-29"}
    assert said(register, act, D.gazettedOn) == {"2015-12-24"}
    assert said(register, "event/01015-2016-01-01-331", D.effectiveOn) == {"2016-01-01"}
    # told in the journal after it had taken effect
    assert said(register, "law/01/A28-12-1973/1974-01-01", D.gazettedOn) == {"1974-02-06"}
    assert said(register, "event/01048-1974-01-01-330", D.effectiveOn) == {"1974-01-01"}


def test_a_commune_that_was_merged_ends_on_the_day_of_effect_and_has_its_heir(register: OxigraphStore) -> None:
    found = fate(register, FR + "area/commune/01018", date(2026, 1, 1))
    assert found.span.end == date(1971, 1, 1)
    assert found.holders == {FR + "area/commune/01033"}
    assert found.basis == (FR + "law/01/A09-12-1970/1971-01-01",)


def test_a_new_commune_under_the_code_of_an_old_one_is_another_area(register: OxigraphStore) -> None:
    old, new = FR + "area/commune/01015", FR + "area/commune/01015-2016-01-01"
    found = fate(register, old, date(2016, 1, 1))
    assert found.holders == {new}
    assert not fate(register, old, date(2015, 12, 31)).ended
    assert labels(register, [new], date(2016, 1, 1), ("fr",))[new] == "Arboys en Bugey"


def test_a_commune_that_changed_its_name_has_both_with_their_days(register: OxigraphStore) -> None:
    commune = FR + "area/commune/01004"
    assert labels(register, [commune], date(1955, 3, 30), ("fr",))[commune] == "Ambérieu"
    assert labels(register, [commune], date(1955, 3, 31), ("fr",))[commune] == "Ambérieu-en-Bugey"


@pytest.fixture
def again(tmp_path: Path) -> OxigraphStore:
    """Return a register in which one commune goes into another, comes back, and goes again."""

    def row(com: str, eff: str, mod: str, other: str, name: str) -> str:
        cells = dict.fromkeys(COLUMNS, "")
        cells.update(DEP="99", COM=com, EFF=eff, MOD=mod, COMECH=other, NCCOFF=name, LEG="A01-02-1970", JO="03-02-1970")
        return "\t".join(cells[column] for column in COLUMNS)

    path = tmp_path / "changes.tsv"
    rows = [
        row("001", "01-01-1973", "330", "99002", "Bas"), row("002", "01-01-1973", "340", "99001", "Haut"),
        row("001", "01-01-1990", "210", "99002", "Bas"), row("001", "01-01-2016", "310", "99002", "Bas"),
    ]  # fmt: skip
    path.write_text("\n".join(["\t".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    facts = [
        ox.Quad(ox.NamedNode("https://example.org/data"), ox.NamedNode(said), ox.NamedNode(value), GRAPH)
        for said, value in ((RDF.type, DCAT.Dataset), (D.managedIn, FR + "area/commune/99001"))
    ]
    return loaded(path, *facts)


@pytest.mark.parametrize(
    ("day", "there"),
    [("1972-12-31", "99001"), ("1973-01-01", "99002"), ("1990-01-01", "99001-1990-01-01"), ("2016-01-01", "99002")],
)
def test_data_of_a_commune_that_is_established_again_come_back_to_it(
    again: OxigraphStore, day: str, there: str
) -> None:
    evidence: Evidence = gather(again, "https://example.org/data")
    assert areas_on(evidence, date.fromisoformat(day)) == {FR + "area/commune/" + there}
    found = fate(again, FR + "area/commune/99001", date.fromisoformat(day))
    assert found.holders == {FR + "area/commune/" + there}
