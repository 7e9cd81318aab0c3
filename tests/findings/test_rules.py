"""A rule applies from the first to the last day of its law; what is not understood of it is told with its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.checking import Checker
from graph.errors import ShapeFault, Unreadable
from graph.findings import Findings
from graph.model import ALWAYS, Interval
from graph.rules import Judges, files_of, read_rules, version_of
from graph.shacl.shapes import INFO, VIOLATION, WARNING
from graph.store import OxigraphStore
from tests.findings.rulebook import HEAD, on_day, rules_of

BEGUN, ENDED = date(2025, 7, 1), date(2026, 1, 1)
APPLIES = f'd:appliesFrom "{BEGUN}"^^xsd:date ; d:appliesUntil "{ENDED}"^^xsd:date'


def rule(says: str, name: str = "rule") -> str:
    return f"{HEAD}s:{name} a sh:NodeShape ; sh:targetClass d:Transfer ; {says} .\n"


def store_with(text: str) -> OxigraphStore:
    store = OxigraphStore()
    store.raw.load(f"{HEAD}{text}".encode(), format=ox.RdfFormat.TURTLE)
    return store


def test_a_rule_about_a_state_counts_on_the_days_of_its_law() -> None:
    (found,) = rules_of(rule(f"d:judges d:State ; {APPLIES} ; sh:property [ sh:path d:until ; sh:minCount 1 ]"))
    assert (found.judges, found.applies) == (Judges.state, Interval(BEGUN, ENDED))
    assert [found.applicable(day) for day in (date(2025, 6, 30), BEGUN, date(2025, 12, 31), ENDED)] == [
        False, True, True, False
    ]  # fmt: skip


def test_a_breach_of_a_law_that_ended_stays() -> None:
    (found,) = rules_of(
        rule(f"d:judges d:Act ; d:actDate d:grantedOn ; {APPLIES} ; sh:property [ sh:path d:until ; sh:minCount 1 ]")
    )
    assert found.span(date(2025, 8, 1)) == Interval(date(2025, 8, 1))
    assert found.span(date(2025, 6, 30)) is None
    assert found.span(ENDED) is None
    assert found.span(None) is None
    assert found.applicable(date(2030, 1, 1))
    assert not found.applicable(date(2025, 6, 30))


def test_an_act_counts_from_its_own_day_and_its_day_may_be_reached_by_a_path() -> None:
    text = rule(
        f"d:judges d:Act ; d:actDate ( d:creates d:from ) ; {APPLIES} ; sh:property [ sh:path d:until ; sh:minCount 1 ]"
    )
    findings = Findings(rules_of(text))
    store = store_with(
        """x:inside a d:Transfer ; d:creates x:one . x:one d:from "2025-08-01"^^xsd:date .
        x:before a d:Transfer ; d:creates x:two . x:two d:from "2025-06-01"^^xsd:date .
        x:undated a d:Transfer ."""
    )
    found = {day: {one[1].value.rpartition("/")[2] for one in on_day(findings, store, day)} for day in (
        date(2025, 7, 31), date(2025, 8, 1), date(2027, 1, 1)
    )}  # fmt: skip
    assert found == {date(2025, 7, 31): set(), date(2025, 8, 1): {"inside"}, date(2027, 1, 1): {"inside"}}


def test_an_act_without_a_day_is_judged_by_a_rule_that_always_applied() -> None:
    says = "d:judges d:Act ; d:actDate d:grantedOn ; sh:property [ sh:path d:until ; sh:minCount 1 ]"
    (found,) = rules_of(rule(says))
    assert found.span(None) == ALWAYS


def test_a_shape_that_says_nothing_of_it_is_a_rule_about_a_state_that_always_applies() -> None:
    (found,) = rules_of(rule("sh:property [ sh:path d:until ; sh:minCount 1 ]", "own"))
    assert (found.name, found.judges, found.applies, found.declared) == ("own", Judges.state, ALWAYS, False)


def test_a_property_shape_may_be_a_rule_of_its_own() -> None:
    rules = rules_of(
        rule("d:judges d:State ; sh:severity sh:Warning ; sh:property s:inner, [ sh:path d:from ; sh:minCount 1 ]")
        + " s:inner a sh:PropertyShape ; d:judges d:State ; sh:severity sh:Info ; sh:path d:until ; sh:minCount 1 ."
    )
    store = store_with("x:transfer a d:Transfer .")
    found = {(rules.rule_of(one).name, rules.severity_of(one)) for one in Checker(rules.shapes).check(store, BEGUN)}
    assert found == {("rule", WARNING), ("inner", INFO)}


def test_a_shape_of_a_user_has_the_severities_that_shacl_gives_it() -> None:
    rules = rules_of(rule("sh:severity sh:Warning ; sh:property [ sh:path d:from ; sh:minCount 1 ]"))
    (result,) = Checker(rules.shapes).check(store_with("x:transfer a d:Transfer ."), BEGUN)
    assert rules.severity_of(result) == VIOLATION


@pytest.mark.parametrize(
    ("says", "what"),
    [
        ("d:judges d:Dataset", "judges https://w3id.org/diaba/ns#Dataset"),
        ("d:judges d:Act", "0 times where its day stands"),
        ("d:judges d:State ; d:actDate d:from", "names the day of an act"),
        ('d:judges d:State ; d:appliesFrom "soon"', "appliesFrom that is no day"),
        ('d:judges d:State ; d:appliesFrom "2025-07"^^xsd:gYearMonth', "appliesFrom that is no day"),
        (f'd:judges d:State ; d:appliesFrom "{ENDED}"^^xsd:date ; d:appliesUntil "{BEGUN}"^^xsd:date', "ends before"),
        ("d:judges d:State ; d:inferred true", "inferred rather than the law's words, but a violation"),
        ('d:judges d:State ; rdfs:label "a"@en, "b"@en', "says label twice"),
        ("d:judges d:State, d:Act", "says judges 2 times"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_with_its_place(tmp_path: Path, says: str, what: str) -> None:
    file = tmp_path / "rules.ttl"
    file.write_text(rule(says), "utf-8")
    with pytest.raises(ShapeFault, match=what) as told:
        read_rules(files=[file])
    assert told.value.shape.endswith("#rule")
    assert told.value.place is not None
    assert told.value.place.file == str(file)
    assert told.value.place.line is not None
    assert told.value.remedy


def test_a_folder_of_rules_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no shapes here"):
        read_rules(extra=[tmp_path / "nowhere"])


def test_rules_of_further_folders_come_after_ours_and_every_byte_counts(tmp_path: Path) -> None:
    file = tmp_path / "own.ttl"
    file.write_text(rule("sh:property [ sh:path d:until ; sh:minCount 1 ]", "own"), "utf-8")
    files = files_of(None, [tmp_path])
    assert files[-1] == file
    assert not any(one.name == "ontology.ttl" for one in files)
    before = version_of(files)
    file.write_text(file.read_text() + "# more\n", "utf-8")
    assert version_of(files) != before
