"""A register keeps its findings: after each change, a rebuild, a backup, other rules, and never before it answers."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from graph import archive, upkeep
from graph.errors import NotFound
from graph.gaps import By, Wanted, between, counts, gaps, tally, trend
from graph.owner import Owner
from graph.register import Register
from graph.terms import D, Graphs

X = "https://example.org/"
DAY = date(2026, 1, 1)
TEXT = """
@prefix d: <https://w3id.org/diaba/ns#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> . @prefix x: <https://example.org/> .
@prefix role: <https://w3id.org/diaba/role/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
x:mpi a d:Agency ; d:until "2025-03-01"^^xsd:date . x:mof a d:Agency .
x:field a <http://www.w3.org/2004/02/skos/core#Concept> .
x:wells a dcat:Dataset ; dct:title "Giếng khoan"@vi ; dcat:theme x:field .
x:roads a dcat:Dataset ; dct:title "Đường"@vi .
"""
CLAIM = """
@prefix d: <https://w3id.org/diaba/ns#> . @prefix x: <https://example.org/> .
@prefix role: <https://w3id.org/diaba/role/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
x:on-wells a d:Responsibility ; d:holder x:mof ; d:role role:accountable ; d:covers x:wells ;
  d:from "2025-03-01"^^xsd:date ; d:until "2025-07-01"^^xsd:date .
"""
NOTHING = "<https://example.org/claims> <http://purl.org/dc/terms/title> 'nothing claimed' ."


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made")
    (home / "text.ttl").write_text(TEXT, "utf-8")
    with Register.create(home / "data", pack=None) as register:
        register.load(home / "text.ttl", X + "text")
    return home / "data"


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "data"))


def claim(folder: Path, text: str = CLAIM) -> Path:
    (folder / "claim.ttl").write_text(text, "utf-8")
    return folder / "claim.ttl"


def found(register: Register, day: date = DAY) -> set[tuple[str, str]]:
    """Return rule and thing of what is wrong with the two datasets on a day."""
    about = Wanted(about=(X + "wells",)), Wanted(about=(X + "roads",))
    page = [gap for wanted in about for gap in gaps(register.reader.graph, day, wanted, limit=None).gaps]
    return {(gap.finding.rule.rpartition("#")[2], gap.finding.about.value.removeprefix(X)) for gap in page}


def dumped(register: Register) -> set[str]:
    return {str(quad) for quad in register.reader.graph.contents(Graphs.findings)}  # type: ignore[attr-defined]


def test_findings_follow_each_change_and_hold_for_every_day(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        assert ("no-claim", "wells") in found(register)
        register.load(claim(tmp_path), X + "claim")
        assert ("no-claim", "wells") not in found(register)
        assert ("no-claim", "roads") in found(register)
        assert ("no-accountable", "wells") not in found(register, date(2025, 6, 30))
        assert ("no-accountable", "wells") in found(register, date(2025, 7, 1))
        difference = register.journal.ledger.difference(register.revision - 1, register.revision, DAY)
        opened = {(told.line.rule.rpartition("#")[2], told.line.about) for told in difference.opened}
        resolved = {(told.line.rule.rpartition("#")[2], told.line.about) for told in difference.resolved}
        assert ("no-accountable", X + "wells") in opened
        assert ("no-claim", X + "wells") in resolved
        register.load(claim(tmp_path, NOTHING), X + "claim")
        assert ("no-claim", "wells") in found(register)


def test_a_rebuild_keeps_since_when_a_finding_is_known(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        row = register.journal.ledger._rows
        row.execute("UPDATE finding SET seen_at = '2020-02-02T00:00:00Z' WHERE about = ?", (X + "roads",))
        register.load(claim(tmp_path), X + "claim")
        register.rebuild()
        before = dumped(register)
        assert any("firstSeen" in line and "2020-02-02" in line for line in before)
        register.rebuild()
        assert dumped(register) == before


def test_a_backup_carries_the_ledger_and_restoring_to_a_change_cuts_it(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        first = register.revision
        register.load(claim(tmp_path), X + "claim")
        register.load(claim(tmp_path, NOTHING), X + "claim")
        whole = register.journal.ledger.difference(first, first + 1)
    archive.backup(data, tmp_path / "backup")
    archive.restore(tmp_path / "backup", tmp_path / "whole")
    archive.restore(tmp_path / "backup", tmp_path / "cut", first + 1)
    with Register.open(tmp_path / "whole") as register:
        assert register.journal.ledger.difference(first, first + 1) == whole
        assert ("no-claim", "wells") in found(register)
    with Register.open(tmp_path / "cut") as register:
        assert {told.line for told in register.journal.ledger.difference(first, first + 1).opened} == {
            told.line for told in whole.opened
        }
        assert all(told.resolved is None for told in register.journal.ledger.told(first + 1))
        assert ("no-accountable", "wells") in found(register)


def test_other_rules_find_all_anew_on_opening(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Register.open(data) as register:
        assert ("no-claim", "roads") in found(register)
        rules = [path for path in upkeep.files_of(None) if path.name != "responsibility.ttl"]
    monkeypatch.setattr(upkeep, "files_of", lambda _: rules)
    with Register.open(data) as register:
        assert ("no-claim", "roads") not in found(register)
        assert not any(told.line.rule.endswith("#no-claim") for told in register.journal.ledger.told(register.revision))
    monkeypatch.undo()
    with Register.open(data) as register:
        assert ("no-claim", "roads") in found(register)


def test_a_change_is_acknowledged_before_its_findings_and_the_next_checkpoint_has_them(
    data: Path, tmp_path: Path
) -> None:
    register = Register.open(data)
    owner = Owner(register)
    try:
        register.load(claim(tmp_path), X + "claim")
        assert register.settled
        assert not register.found
        owner._take()
        assert register.found
        assert ("no-accountable", "wells") in found(register)
    finally:
        owner._checkpoints.clear()
        register.close()


def test_finding_all_anew_gives_way_and_takes_in_what_came_meanwhile(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        register.puts_off_findings = True
        findings = register._parts.findings
        register._parts.graph.note(Graphs.findings, 0)
        register.load(claim(tmp_path, CLAIM.replace("2025-07-01", "2025-08-01")), X + "claim")
        asked = iter([False] * 20)
        assert not register.find(lambda: next(asked, True))
        assert findings.revision == 0
        register.load(claim(tmp_path), X + "claim")
        assert register.find()
        kept = dumped(register)
        register._parts.graph.note(Graphs.findings, 0)
        assert register.find()
        assert dumped(register) == kept
        assert ("no-accountable", "wells") in found(register, date(2025, 7, 15))


def test_findings_are_counted_by_what_they_are_filed_under(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        register.load(claim(tmp_path), X + "claim")
        graph = register.reader.graph
        page = gaps(graph, DAY, limit=None)
        for by in By:
            several = sum(max(1, len(_under(gap, by))) for gap in page.gaps)
            assert sum(count.total for count in counts(graph, by, DAY)) == several
        assert trend(graph, [DAY], by=By.rule) == [(DAY, counts(graph, By.rule, DAY))]
        assert tally(graph, By.rule).days()
        (rule,) = {gap.finding.rule for gap in page.gaps if gap.finding.rule.endswith("#no-claim")}
        fields = gaps(graph, DAY, Wanted(rules=(rule,), fields=(X + "field", X + "no-field"))).gaps
        assert {gap.finding.about.value for gap in fields} <= {X + "wells"}
        assert gaps(graph, DAY, limit=1, offset=1).gaps == page.gaps[1:2]
        assert page.total == len(page.gaps)


def _under(gap: object, by: By) -> tuple[str, ...]:
    if by in (By.rule, By.severity):
        return ("one",)
    return {By.body: gap.bodies, By.level: gap.levels, By.area: gap.areas, By.field: gap.fields}[by]  # type: ignore[attr-defined]


def test_two_days_are_compared_fault_by_fault(data: Path, tmp_path: Path) -> None:
    with Register.open(data) as register:
        register.load(claim(tmp_path), X + "claim")
        wells = Wanted(about=(X + "wells",))
        changed = between(register.reader.graph, date(2025, 6, 30), date(2025, 7, 1), wells)
        assert "no-accountable" in {gap.finding.rule.rpartition("#")[2] for gap in changed.opened}
        assert not between(register.reader.graph, DAY, DAY).opened


def test_a_redaction_leaves_no_trace_of_what_it_takes_away_in_the_ledger(data: Path, tmp_path: Path) -> None:
    secret = """@prefix dcat: <http://www.w3.org/ns/dcat#> . <https://example.org/secret> a dcat:Dataset ."""
    with Register.open(data) as register:
        register.load(claim(tmp_path, secret), X + "secret-source")
        brought = register.revision
        register.load(claim(tmp_path, NOTHING), X + "secret-source")
        assert X + "secret" in register.journal.ledger.resolved_about()
        archive.redact(register, [brought, register.revision], "clerk", "it was secret")
        assert X + "secret" not in register.journal.ledger.resolved_about()
        with pytest.raises(NotFound):
            archive.redact(register, [999], "clerk", "nothing")
        assert D.Finding in {q.object.value for q in register.reader.graph.contents(Graphs.findings)}  # type: ignore[attr-defined]
