"""Hold the verbs that find gaps: what they print, what they write, and the exit codes that a repository's CI reads."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from pathlib import Path

import openpyxl
import pyoxigraph as ox
import pytest

from graph.resources import folder
from tests.cli.conftest import Outcome, Run

MANDATE = folder("examples") / "transfer" / "bad-mandate-without-end.ttl"
RIGHT = folder("examples") / "transfer" / "good-mandate-without-end.ttl"
SH = "http://www.w3.org/ns/shacl#"
DAY = ("--as-of", "2026-01-01")
PREFIXES = "@prefix d: <https://w3id.org/diaba/ns#> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
SHAPES = """@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix t: <https://example.org/team#> .
t:without-keyword a sh:NodeShape ; sh:targetClass dcat:Dataset ; sh:severity sh:Warning ;
  sh:property [ sh:path dcat:keyword ; sh:minCount 1 ; sh:severity sh:Warning ;
    sh:message "A dataset needs a keyword."@en ] .
"""
DATED = PREFIXES + SHAPES.replace("a sh:NodeShape ;", """a sh:NodeShape ;
  d:judges d:State ; d:appliesFrom "2025-06-16"^^xsd:date ;
  <http://www.w3.org/2000/01/rdf-schema#label> "Without a keyword"@en ;
  dct:bibliographicCitation "Act 7, article 3"@en ;""")


@pytest.fixture
def check(diaba: Run) -> Run:
    """Return a function that checks files against the ontology and no pack."""

    def run(*words: str) -> Outcome:
        return diaba("check", *words, "--pack", "none", *DAY)

    return run


# --- files ----------------------------------------------------------------------------------------------------------


def test_one_line_per_finding_says_file_line_severity_rule_and_what_to_do(check: Run) -> None:
    done = check(str(MANDATE))
    lines = done.out.splitlines()
    number = 1 + MANDATE.read_text().splitlines().index(
        next(line for line in MANDATE.read_text().splitlines() if line.startswith("x:grant"))
    )
    assert lines[0].startswith(f"{MANDATE}:{number}: error mandate-without-end: ")
    assert len(lines) == 1
    assert "1 files, as of 2026-01-01: 1 errors, 0 warnings" in done.err
    assert done.code == 1


def test_what_is_right_ends_with_zero(check: Run) -> None:
    done = check(str(RIGHT))
    assert (done.code, done.out) == (0, "")


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)]
)
def test_fail_on_says_how_grave_a_finding_must_be(check: Run, fail_on: str, code: int) -> None:
    warned = folder("examples") / "agency" / "bad-post-without-contact.ttl"
    assert check(str(warned), "--fail-on", fail_on).code == code


def test_severity_leaves_out_what_is_less_grave(check: Run) -> None:
    warned = folder("examples") / "agency" / "bad-post-without-contact.ttl"
    done = check(str(warned), "--severity", "error", "--fail-on", "warning")
    assert (done.out, done.code) == ("", 0)


def test_a_broken_file_is_a_finding_with_its_line_and_the_others_are_checked(check: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttl"
    broken.write_text("@prefix d: <https://w3id.org/diaba/ns#> .\n<https://example.org/a> a d:Agency ;;\n  d:from .\n")
    done = check(str(broken), str(MANDATE))
    assert f"{broken}:3: error malformed: " in done.out
    assert "mandate-without-end" in done.out
    assert f"{broken} could not be read" in done.err
    assert done.code == 1


def test_what_a_load_would_refuse_is_a_finding_each(check: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong.ttl"
    file.write_text(
        "@prefix d: <https://w3id.org/diaba/ns#> . @prefix x: <https://example.org/> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        "x:a a d:Agency ;\n  d:form \"2025-01-01\"^^xsd:date .\n"
        'x:b a d:Agency ; d:from "2025"^^xsd:gYear .\n'
        'x:c a d:Agency ; d:from "2025-02-01"^^xsd:date ;\n  d:until "2025-01-01"^^xsd:date .\n'
    )
    lines = [line for line in check(str(file)).out.splitlines() if " malformed: " in line]
    assert [line.split(":")[1] for line in lines] == ["4", "5", "7"]
    assert "There is no term d:form" in lines[0]
    assert "which is no day" in lines[1]
    assert "ends on 2025-01-01" in lines[2]


def test_a_missing_file_is_refused(check: Run, tmp_path: Path) -> None:
    done = check(str(tmp_path / "missing.ttl"))
    assert done.code == 3


@pytest.mark.parametrize("ending", [".nt", ".nq", ".trig", ".rdf", ".jsonld", ".ttl.gz"])
def test_every_syntax_is_checked_and_a_line_is_told_only_where_it_is_known(
    check: Run, tmp_path: Path, ending: str
) -> None:
    file = tmp_path / f"same{ending}"
    if ending == ".ttl.gz":
        file.write_bytes(gzip.compress(MANDATE.read_bytes()))
    else:
        triples = [ox.Triple(quad.subject, quad.predicate, quad.object) for quad in ox.parse(path=MANDATE)]
        ox.serialize(triples, str(file), format=ox.RdfFormat.from_extension(ending[1:]))
    (line,) = check(str(file)).out.splitlines()
    place, _, rest = line.removeprefix(str(file)).partition(": ")
    assert rest.startswith("error mandate-without-end: ")
    assert bool(place) == (ending not in (".rdf", ".jsonld"))


def test_blank_nodes_are_judged_like_the_rest(check: Run, tmp_path: Path) -> None:
    file = tmp_path / "blank.ttl"
    file.write_text(MANDATE.read_text().replace("x:grant a", "[] a"))
    (line,) = check(str(file)).out.splitlines()
    assert "error mandate-without-end: " in line
    assert line.startswith(f"{file}:20: ")


def test_values_are_shown_as_they_are_written(check: Run, tmp_path: Path) -> None:
    shapes = tmp_path / "shapes.ttl"
    shapes.write_text(
        "@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix x: <https://example.org/> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        "x:short a sh:NodeShape ; sh:targetSubjectsOf x:code ;\n"
        "  sh:property [ sh:path x:code ; sh:maxLength 2 ] .\n"
    )
    file = tmp_path / "codes.ttl"
    file.write_text(
        "@prefix x: <https://example.org/> . @prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        'x:a x:code "007"^^xsd:integer .\nx:b x:code "07"^^xsd:integer .\n'
    )
    done = check(str(file), "--shapes", str(shapes), "--no-own-rules", "--json")
    (found,) = done.json["findings"]
    assert found["value"]["label"] == "007"
    assert (found["name"], found["line"]) == ("short", 2)


def test_own_shapes_join_the_rules_or_replace_them(check: Run, tmp_path: Path) -> None:
    shapes = tmp_path / "shapes"
    shapes.mkdir()
    (shapes / "team.ttl").write_text(SHAPES)
    both = check(str(MANDATE), "--shapes", str(shapes))
    assert {line.split()[2] for line in both.out.splitlines()} == {"mandate-without-end:", "without-keyword:"}
    alone = check(str(MANDATE), "--shapes", str(shapes), "--no-own-rules")
    assert {line.split()[2] for line in alone.out.splitlines()} == {"without-keyword:"}
    assert alone.code == 0
    assert check(str(MANDATE), "--no-own-rules").code == 2


def test_a_shape_that_is_not_understood_is_refused_with_its_place(check: Run, tmp_path: Path) -> None:
    shapes = tmp_path / "odd.ttl"
    shapes.write_text(SHAPES.replace("sh:minCount 1", "sh:minCuont 1"))
    done = check(str(MANDATE), "--shapes", str(shapes))
    assert done.code == 3
    assert "minCuont" in done.err


def test_files_beside_are_read_and_not_judged(check: Run, tmp_path: Path) -> None:
    beside = tmp_path / "beside.ttl"
    shutil.copy(MANDATE, beside)
    file = tmp_path / "mine.ttl"
    file.write_text("<https://example.org/other> a <http://www.w3.org/ns/dcat#Dataset> .\n")
    done = check(str(file), "--with", str(beside), "--json")
    assert {found["about"]["iri"] for found in done.json["findings"]} == {"https://example.org/other"}


def test_a_fault_that_a_file_brings_about_elsewhere_is_told(check: Run, tmp_path: Path) -> None:
    """A second responsibility for data that lie beside makes the data disputed."""
    beside = tmp_path / "beside.ttl"
    beside.write_text(RIGHT.read_text())
    file = tmp_path / "claim.ttl"
    file.write_text(
        "@prefix x: <https://example.org/> . @prefix d: <https://w3id.org/diaba/ns#> .\n"
        "@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .\n"
        "x:claim a d:Responsibility ; d:holder x:rival ; d:covers x:wells ; d:basis x:act ;\n"
        '  d:role <https://w3id.org/diaba/role/accountable> ; d:from "2020-01-01"^^xsd:date .\nx:rival a d:Agency .\n'
    )
    done = check(str(file), "--with", str(beside), "--rule", "more-than-one-accountable", "--json")
    assert {found["about"]["iri"] for found in done.json["findings"]} == {"https://example.org/wells"}


def test_explain_says_how_each_rule_was_run(check: Run) -> None:
    routes = check(str(MANDATE), "--explain", "--json").json["routes"]
    assert {route["way"] for route in routes} <= {"compiled", "compiled, node by node", "pySHACL"}
    assert "mandate-without-end" in {route["rule"] for route in routes}


def test_a_rule_of_another_day_is_not_applicable(diaba: Run) -> None:
    done = diaba("check", str(MANDATE), "--pack", "none", "--as-of", "2024-01-01", "--json")
    assert "mandate-without-end" not in {found["name"] for found in done.json["findings"]}


# --- formats --------------------------------------------------------------------------------------------------------


def test_sarif_is_what_code_hosts_read(check: Run, tmp_path: Path) -> None:
    out = tmp_path / "found.sarif"
    assert check(str(MANDATE), "--format", "sarif", "-o", str(out)).code == 1
    log = json.loads(out.read_text())
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == result["ruleId"] == "mandate-without-end"
    assert rule["shortDescription"]["text"]
    assert result["level"] == "error"
    assert result["message"]["text"]
    place = result["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == 20
    assert place["artifactLocation"]["uri"].endswith("transfer/bad-mandate-without-end.ttl")
    assert result["partialFingerprints"]


def test_the_report_is_that_of_the_w3c(check: Run, tmp_path: Path) -> None:
    out = tmp_path / "report.ttl"
    check(str(MANDATE), "--format", "turtle", "-o", str(out))
    said = {(quad.predicate.value, getattr(quad.object, "value", "")) for quad in ox.parse(path=out)}
    assert (SH + "conforms", "false") in said
    assert (SH + "focusNode", "https://example.org/grant") in said
    assert (SH + "sourceShape", "https://w3id.org/diaba/shapes#mandate-without-end") in said
    assert (SH + "resultSeverity", SH + "Violation") in said
    check(str(RIGHT), "--format", "turtle", "-o", str(out))
    (verdict,) = (quad.object for quad in ox.parse(path=out) if quad.predicate.value == SH + "conforms")
    assert verdict.value == "true"


def test_tables_open_in_a_spreadsheet_and_hold_no_formula(check: Run, tmp_path: Path) -> None:
    file = tmp_path / "trap.ttl"
    file.write_text(
        MANDATE.read_text() + '<https://example.org/given> <http://www.w3.org/2000/01/rdf-schema#label> "=1+1" .\n'
        '<https://example.org/grant> <http://www.w3.org/2000/01/rdf-schema#label> "=cmd|x" .\n'
    )
    out = tmp_path / "found.xlsx"
    check(str(file), "--format", "xlsx", "-o", str(out))
    sheet = openpyxl.load_workbook(out)["Findings"]
    cells = {cell.value: cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None}
    assert cells["=cmd|x"] == "s"
    assert cells["mandate-without-end"] == "s"
    rows = list(csv.DictReader(io.StringIO(check(str(file), "--format", "csv").out)))
    assert rows[0]["About"] == "'=cmd|x"
    assert rows[0]["Line"] == "20"


def test_the_page_stands_alone_and_keeps_markup_out(check: Run, tmp_path: Path) -> None:
    file = tmp_path / "trap.ttl"
    file.write_text(
        MANDATE.read_text()
        + '<https://example.org/grant> <http://www.w3.org/2000/01/rdf-schema#label> "<script>alert(1)</script>" .\n'
    )
    page = check(str(file), "--format", "html").out
    assert "<style>" in page
    assert "<script>" not in page
    assert "src=" not in page
    assert "mandate-without-end" in page


# --- the register ---------------------------------------------------------------------------------------------------


def test_the_register_is_checked_by_reading_its_findings(diaba: Run) -> None:
    done = diaba("check", "--json", "--as-of", "2026-11-23")
    counted = diaba("gaps", "--json", "--as-of", "2026-11-23").json
    assert done.json["summary"] == {name: counted[name] for name in ("error", "warning", "info")}
    assert done.code == (1 if counted["error"] else 0)


def test_the_register_is_judged_by_shapes_of_ones_own_in_a_process_with_limits(diaba: Run, tmp_path: Path) -> None:
    shapes = tmp_path / "team.ttl"
    shapes.write_text(SHAPES)
    done = diaba("check", "--shapes", str(shapes), "--no-own-rules", "--explain", "--json").json
    assert {found["name"] for found in done["findings"]} == {"without-keyword"}
    assert done["summary"]["warning"] > 3
    assert done["routes"] == [{"rule": "without-keyword", "way": "compiled", "why": ""}]
    both = diaba("check", "--shapes", str(shapes), "--json").json
    assert len({found["name"] for found in both["findings"]}) > 1


def test_gaps_are_counted_by_each_thing(diaba: Run) -> None:
    total = diaba("gaps", "--json").json["total"]
    assert total > 0
    for by in ("rule", "level"):
        counts = diaba("gaps", "--by", by, "--json").json["counts"]
        assert sum(one["total"] for one in counts) >= total or by != "rule"
    by_rule = diaba("gaps", "--by", "rule", "--json").json["counts"]
    assert sum(one["total"] for one in by_rule) == total
    assert all(one["label"] and not one["label"].startswith("http") for one in by_rule)


def test_gaps_can_be_kept_to_a_rule_and_listed(diaba: Run) -> None:
    counts = diaba("gaps", "--json").json["counts"]
    most = counts[0]
    name = most["iri"].rpartition("#")[2]
    listed = diaba("gaps", "--rule", name, "--list")
    lines = [line for line in listed.out.splitlines() if f" {name}: " in line]
    assert len(lines) == most["total"]
    assert diaba("gaps", "--rule", "no-such-rule").code == 2


def test_two_days_are_compared(diaba: Run) -> None:
    done = diaba("gaps", "--since", "2020-01-01", "--as-of", "2026-11-23", "--json").json
    before = diaba("gaps", "--as-of", "2020-01-01", "--json").json["total"]
    assert done["total"] == before + len(done["opened"]) - len(done["closed"])
    assert diaba("gaps", "--since", "2027-01-01", "--as-of", "2026-01-01").code == 2


def test_what_changes_brought_is_told_by_their_number(diaba: Run) -> None:
    done = diaba("gaps", "--since-change", "1", "--json").json
    assert {one["about"]["iri"] for one in done["brought"]["opened"]} == {
        one["about"]["iri"] for one in done["findings"]
    }
    assert not done["brought"]["closed"]
    assert diaba("gaps", "--since-change", str(done["revision"]), "--json").json["brought"] == {
        "opened": [], "closed": [],
    }  # fmt: skip
    assert "change 1" in diaba("gaps", "--since-change", "1").out


def test_counts_and_findings_go_into_tables(diaba: Run, tmp_path: Path) -> None:
    counts = list(csv.reader(io.StringIO(diaba("gaps", "--by", "rule", "--format", "csv").out)))
    assert counts[0][0] == "Rule"
    found = list(csv.DictReader(io.StringIO(diaba("gaps", "--format", "csv").out)))
    assert len(found) == diaba("gaps", "--json").json["total"]
    out = tmp_path / "gaps.xlsx"
    assert diaba("gaps", "--format", "xlsx", "-o", str(out)).code == 0
    assert openpyxl.load_workbook(out).sheetnames == ["Findings", "Rules"]
    assert diaba("gaps", "--by", "rule", "--format", "turtle").code == 2


def test_rules_are_listed_with_their_law_and_one_is_told_whole(diaba: Run) -> None:
    rules = diaba("rules", "--json").json["rules"]
    assert len(rules) >= 30
    assert all(rule["label"] and rule["message"] for rule in rules)
    done = diaba("rules", "mandate-without-end")
    assert "Mandate without an end" in done.out
    assert "bad-mandate-without-end.ttl" in done.out
    near = diaba("rules", "mandate-without-and")
    assert near.code == 2
    assert "mandate-without-end" in near.err


def test_a_rule_tells_its_law_and_its_days(diaba: Run, tmp_path: Path) -> None:
    shapes = tmp_path / "dated.ttl"
    shapes.write_text(DATED)
    asked = ("rules", "without-keyword", "--shapes", str(shapes))
    before, after = (diaba(*asked, "--as-of", day).words for day in ("2025-06-15", "2025-06-16"))
    assert "Without a keyword" in after
    assert "Act 7, article 3" in after
    assert "from 2025-06-16" in after
    assert "not applicable" in before
    assert "not applicable" not in after
    found = diaba(*asked, "--as-of", "2025-06-15", "--json").json
    assert (found["applicable"], found["applies_from"]) == (False, "2025-06-16")


def test_a_rule_finds_nothing_on_days_of_another_law(diaba: Run, tmp_path: Path) -> None:
    shapes = tmp_path / "dated.ttl"
    shapes.write_text(DATED)
    asked = ("check", str(RIGHT), "--pack", "none", "--shapes", str(shapes), "--rule", "without-keyword", "--json")
    assert not diaba(*asked, "--as-of", "2025-06-15").json["findings"]
    assert diaba(*asked, "--as-of", "2025-06-15").json["rules"]["not_applicable"] == ["without-keyword"]
    assert diaba(*asked, "--as-of", "2025-06-16").json["findings"]
