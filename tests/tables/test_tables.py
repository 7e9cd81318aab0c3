"""Tables and mappings: what a row becomes, what a mapping may do, and what is said of a bad one."""

from __future__ import annotations

import gzip
import os
import re
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import tables
from graph.errors import Malformed, Place, Unreadable
from graph.files import input_of, parse
from graph.tables import COLUMN, column_name, is_table, map_quads, map_table, read_mapping, slug, table_quads

SOURCE = "https://example.org/bodies"
MAPPING = """\
# problem: A register lists bodies with their days.
# solution: One row is one body; the last day is inclusive in the table
#   and exclusive in the register.
# dates: since last
# lists: alt
PREFIX col: <https://w3id.org/diaba/column#>
PREFIX d: <https://w3id.org/diaba/ns#>
PREFIX f: <https://w3id.org/diaba/function#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
CONSTRUCT {
  ?body a d:Agency ; skos:prefLabel ?name ; skos:altLabel ?alt ; d:from ?from ; d:until ?until ; skos:note ?n .
}
WHERE {
  ?row col:name ?name ; col:_row ?n .   # col:comment is no column: this is a comment
  BIND(IRI(CONCAT("https://example.org/col:", f:slug(?name))) AS ?body)
  OPTIONAL { ?row col:alt ?alt }
  OPTIONAL { ?row col:since ?since . BIND(STRDT(?since, xsd:date) AS ?from) }
  OPTIONAL { ?row col:last ?last . BIND(f:dayAfter(?last) AS ?until) }
}
"""
TABLE = "name,alt,since,last\nĐắk Lắk,a; b,2020-01-01,2025-06-30\nHuế,,,\n"


def make(folder: Path, table: str | bytes = TABLE, mapping: str = MAPPING, name: str = "bodies.csv") -> list[ox.Quad]:
    path = folder / name
    path.write_bytes(table.encode() if isinstance(table, str) else table)
    rules = folder / "bodies.rq"
    rules.write_text(mapping, "utf-8")
    return map_table(path, read_mapping(rules), SOURCE)


def values(quads: list[ox.Quad], subject: str, predicate: str) -> set[str]:
    return {
        q.object.value
        for q in quads
        if q.subject.value.endswith(subject) and q.predicate.value.endswith(predicate)  # type: ignore[union-attr]
    }


def test_a_row_becomes_statements_through_the_mapping(tmp_path: Path) -> None:
    quads = make(tmp_path)
    assert values(quads, "/col:dak-lak", "prefLabel") == {"Đắk Lắk"}
    assert values(quads, "/col:dak-lak", "altLabel") == {"a", "b"}
    assert values(quads, "/col:dak-lak", "#from") == {"2020-01-01"}
    assert values(quads, "/col:dak-lak", "note") == {"2"}


def test_an_inclusive_last_day_becomes_the_first_day_without(tmp_path: Path) -> None:
    assert values(make(tmp_path), "/col:dak-lak", "#until") == {"2025-07-01"}


def test_an_empty_cell_is_no_statement(tmp_path: Path) -> None:
    quads = make(tmp_path)
    assert values(quads, "/col:hue", "prefLabel") == {"Huế"}
    assert not values(quads, "/col:hue", "#from")
    assert not values(quads, "/col:hue", "altLabel")


def test_the_same_table_gives_the_same_list(tmp_path: Path) -> None:
    assert make(tmp_path) == make(tmp_path)


def test_a_row_is_named_by_its_number_counting_the_header(tmp_path: Path) -> None:
    make(tmp_path)
    cells = list(table_quads(tmp_path / "bodies.csv", read_mapping(tmp_path / "bodies.rq"), SOURCE))
    assert {cell.subject.value for cell in cells} == {f"{SOURCE}#row=2", f"{SOURCE}#row=3"}  # type: ignore[union-attr]


def test_tables_may_be_gzipped_and_open_with_a_byte_order_mark(tmp_path: Path) -> None:
    plain = make(tmp_path)
    assert make(tmp_path, gzip.compress(b"\xef\xbb\xbf" + TABLE.encode()), name="bodies.csv.gz") == plain


def test_tab_separated_values_have_no_quotes(tmp_path: Path) -> None:
    table = 'name\talt\tsince\tlast\n"t Zand\t\t\t\n'
    assert values(make(tmp_path, table, name="bodies.tsv"), "/col:t-zand", "prefLabel") == {'"t Zand'}


def test_another_delimiter_and_encoding_are_named_in_the_header(tmp_path: Path) -> None:
    mapping = "# delimiter: ;\n# encoding: windows-1252\n" + MAPPING.replace("# lists: alt\n", "")
    quads = make(tmp_path, "name;alt;since;last\nÉvry;;;\n".encode("windows-1252"), mapping)
    assert values(quads, "/col:evry", "prefLabel") == {"Évry"}


@pytest.mark.parametrize(
    ("table", "line", "words"),
    [
        ("name,alt,since,last\nA,,,\nB,,\n", 3, "3 cells and the header 4"),
        ("name,alt,since,last\nA,,,,\n", 2, "5 cells and the header 4"),
        ('name,alt,since,last\n"A\nB",,,\nC,,\n', 4, "3 cells"),
        ("name,alt,since,last\nA,,2025-02-30,\n", 2, '"2025-02-30" in column "since"'),
        ("name,alt,since,last\nA,,01/07/2025,\n", 2, "is no day"),
        ("name,alt,since,last\nA,,2025-07,\n", 2, "is no day"),
        ("name,name,alt,since,last\n", 1, "a column twice: name"),
        ("name,since,last\n", 1, "needs: alt"),
        (b"name,alt,since,last\nA,,,\n\xd0\xff,,,\n", 3, "is not utf-8"),
        ('name,alt,since,last\n"A,,,\n', 2, "cannot be read"),
        ("", None, "is empty"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, table: str | bytes, line: int | None, words: str) -> None:
    with pytest.raises(Malformed) as caught:
        make(tmp_path, table)
    assert words in caught.value.message
    assert caught.value.remedy
    assert caught.value.place is not None
    assert caught.value.place.file.endswith("bodies.csv")
    assert caught.value.place.line == line


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        (MAPPING.replace("# problem:", "# remark:"), 'unknown key "remark"'),
        (MAPPING[MAPPING.index("# solution") :], 'no "problem"'),
        (MAPPING[MAPPING.index("PREFIX") :], 'no "problem"'),
        (MAPPING.replace("CONSTRUCT", "CONSTRUKT"), "not a SPARQL query"),
        ("# problem: a\n# solution: b\nASK { ?s ?p ?o }", "not a CONSTRUCT"),
        (
            "# problem: a\n# solution: b\nCONSTRUCT { ?s ?p ?o } WHERE { SERVICE <https://example.org/> { ?s ?p ?o } }",
            "asks another service",
        ),
        ("# problem: a\n# solution: b\nASK { service <https://example.org/> { ?s ?p ?o } }", "asks another service"),
    ],
)
def test_a_bad_mapping_is_refused(tmp_path: Path, mapping: str, words: str) -> None:
    with pytest.raises(Malformed) as caught:
        make(tmp_path, mapping=mapping)
    assert words in caught.value.message
    assert caught.value.remedy


def test_a_syntax_error_in_a_mapping_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(Malformed) as caught:
        make(tmp_path, mapping="# problem: a\n# solution: b\nCONSTRUCT { ?s ?p }\nWHERE { ?s ?p ?o }")
    assert caught.value.place is not None
    assert caught.value.place.line == 3


def test_a_string_an_iri_or_a_variable_called_service_is_no_service(tmp_path: Path) -> None:
    mapping = MAPPING.replace("https://example.org/col:", "https://example.org/SERVICE/col:")
    mapping = mapping.replace("?since", "?service").replace("PREFIX f:", "PREFIX service: <urn:x:>\nPREFIX f:")
    assert make(tmp_path, mapping=mapping)


def test_a_mapping_for_something_else_is_said_to_make_nothing(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="made no statement"):
        make(tmp_path, "name,alt,since,last\n,x,,\n")


@pytest.mark.parametrize(
    ("table", "mapping", "line", "words"),
    [
        ("name,alt,since,last\nA,,,\nX>Y,,,\nB,,,\n", MAPPING.replace("f:slug(?name)", "?name"), 3, '/col:X>Y"'),
        ("name,alt,since,last\nA b,,,\nB,,,\n", MAPPING.replace("f:slug(?name)", "?name"), 2, '/col:A b"'),
        ("name,alt,since,last\nA,,,\nB,,,\n…,,,\n", MAPPING, 4, 'slug of "…"'),
        (
            "name,alt,since,last\nA,,,\nB,,,2025\n",
            MAPPING.replace("dates: since last", "dates: since"),
            3,
            'the day after "2025"',
        ),
        (
            "name,alt,since,last\nA,,,\nB,X>Y,,\n",
            MAPPING.replace("?row col:alt ?alt", "?row col:alt ?a BIND(uri (CONCAT('urn:x:', ?a)) AS ?alt)"),
            3,
            '"urn:x:X>Y"',
        ),
        (
            "name,alt,since,last\nA,,,\nB,,,\n",
            MAPPING.replace("CONCAT(", "STRLANG(CONCAT(").replace("f:slug(?name))", "f:slug(?name)), 'vi')"),
            2,
            "IRI of",
        ),
    ],
)
def test_a_row_out_of_which_something_cannot_be_made_is_refused_not_dropped(
    tmp_path: Path, table: str, mapping: str, line: int, words: str
) -> None:
    with pytest.raises(Malformed) as caught:
        make(tmp_path, table, mapping)
    assert words in caught.value.message
    assert caught.value.remedy
    assert caught.value.place == Place(str(tmp_path / "bodies.csv"), line)


def test_a_row_that_the_mapping_filters_out_is_not_asked_for_an_iri(tmp_path: Path) -> None:
    mapping = MAPPING.replace("f:slug(?name)", "?name").replace(
        "OPTIONAL { ?row col:alt", 'FILTER(?name != "X>Y")\n  OPTIONAL { ?row col:alt'
    )
    quads = make(tmp_path, "name,alt,since,last\nA,,,\nX>Y,,,\n", mapping)
    assert {quad.subject.value for quad in quads} == {"https://example.org/col:A"}  # type: ignore[union-attr]


def test_an_iri_resolves_against_the_base_of_the_mapping(tmp_path: Path) -> None:
    mapping = MAPPING.replace("PREFIX col:", "BASE <https://example.org/base/>\nPREFIX col:", 1)
    quads = make(tmp_path, mapping=mapping.replace('"https://example.org/col:"', '"body/"'))
    assert values(quads, "/base/body/hue", "prefLabel") == {"Huế"}


def test_a_mapping_that_is_missing_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        read_mapping(tmp_path / "nowhere.rq")


def test_a_mapping_out_of_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.rq")
    with pytest.raises(Unreadable, match="no file"):
        read_mapping(tmp_path / "pipe.rq")


def test_rdf_is_mapped_as_parsed_whatever_graph_it_is_in(tmp_path: Path) -> None:
    rules = tmp_path / "names.rq"
    rules.write_text(
        "# problem: a\n# solution: b\n"
        "PREFIX foaf: <http://xmlns.com/foaf/0.1/> PREFIX skos: <http://www.w3.org/2004/02/skos/core#>\n"
        "CONSTRUCT { ?x skos:prefLabel ?name } WHERE { ?x foaf:name ?name }"
    )
    data = b'<http://example.org/a> <http://xmlns.com/foaf/0.1/name> "A" <http://example.org/g> .'
    quads = map_quads(read_mapping(rules), ox.parse(data, format=ox.RdfFormat.N_QUADS))
    assert [str(quad.object) for quad in quads] == ['"A"']
    assert isinstance(quads[0].graph_name, ox.DefaultGraph)


def test_a_register_with_three_dates_per_act_can_be_mapped(tmp_path: Path) -> None:
    """The act, its gazette and its effect each have a day of their own, as in the French register of communes."""
    mapping = """\
# problem: A register of communes dates the act, its publication and its effect apart, with the day first.
# solution: The effect dates the event; the two others are the instrument's.
PREFIX col: <https://w3id.org/diaba/column#>
PREFIX d: <https://w3id.org/diaba/ns#>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
CONSTRUCT {
  ?event a d:ChangeEvent ; d:effectiveOn ?effective ; d:basis ?act .
  ?act a d:LegalInstrument ; d:issuedOn ?issued ; d:gazettedOn ?gazetted .
}
WHERE {
  ?row col:DEP ?department ; col:COM ?commune ; col:EFF ?eff .
  BIND(CONCAT("https://example.org/", ?department, ?commune) AS ?base)
  BIND(IRI(CONCAT(?base, "/event")) AS ?event)
  BIND(STRDT(CONCAT(SUBSTR(?eff, 7), "-", SUBSTR(?eff, 4, 2), "-", SUBSTR(?eff, 1, 2)), xsd:date) AS ?effective)
  OPTIONAL {
    ?row col:LEG ?leg ; col:DEP ?department ; col:COM ?commune .
    BIND(IRI(CONCAT("https://example.org/", ?department, ?commune, "/act")) AS ?act)
    BIND(STRDT(CONCAT(SUBSTR(?leg, 8), "-", SUBSTR(?leg, 5, 2), "-", SUBSTR(?leg, 2, 2)), xsd:date) AS ?issued)
  }
  OPTIONAL {
    ?row col:JO ?jo
    BIND(STRDT(CONCAT(SUBSTR(?jo, 7), "-", SUBSTR(?jo, 4, 2), "-", SUBSTR(?jo, 1, 2)), xsd:date) AS ?gazetted)
  }
}
"""
    table = "DEP\tCOM\tLEG\tJO\tEFF\n99\t003\tA16-07-1973\t19-08-1973\t01-01-1974\n99\t004\t\t\t31-03-1955\n"
    quads = make(tmp_path, table, mapping, "changes.tsv")
    assert values(quads, "/99003/event", "effectiveOn") == {"1974-01-01"}
    assert values(quads, "/99003/act", "issuedOn") == {"1973-07-16"}
    assert values(quads, "/99003/act", "gazettedOn") == {"1973-08-19"}
    assert values(quads, "/99004/event", "effectiveOn") == {"1955-03-31"}
    assert not values(quads, "/99004/act", "issuedOn")


def test_the_french_register_is_read_as_it_is(tmp_path: Path, shared: Path) -> None:
    rules = tmp_path / "communes.rq"
    rules.write_text(
        "# problem: a\n# solution: b\nPREFIX col: <https://w3id.org/diaba/column#>\n"
        "CONSTRUCT { ?row col:EFF ?day } WHERE { ?row col:EFF ?day ; col:NCCOFF ?name }"
    )
    table = shared / "real/france/communes-changes-first-20.tsv"
    assert len(map_table(table, read_mapping(rules), SOURCE)) == 20


def test_every_table_of_the_british_registers_is_read(tmp_path: Path, shared: Path) -> None:
    rules = tmp_path / "all.rq"
    rules.write_text("# problem: a\n# solution: b\nCONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }")
    mapping = read_mapping(rules)
    tables = sorted((shared / "real/uk-registers").glob("*.csv"))
    assert tables
    for table in tables:
        assert map_table(table, mapping, SOURCE), table.name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("name", "name"),
        ("end-date", "end-date"),
        ("Tên cơ quan", "Tên%20cơ%20quan"),
        ("_id", "%5Fid"),
        ("a/b", "a%2Fb"),
    ],
)
def test_a_column_is_named_after_its_title(title: str, name: str) -> None:
    assert column_name(title) == name


def test_a_title_with_spaces_can_be_written_in_a_mapping(tmp_path: Path) -> None:
    mapping = (
        "# problem: a\n# solution: b\nPREFIX c: <https://w3id.org/diaba/column#>\n"
        "CONSTRUCT { ?row c:x ?v } WHERE { ?row c:x ?v . ?row c:Tên%20cơ%20quan ?w }"
    )
    assert len(make(tmp_path, "x,Tên cơ quan\n1,a\n2,\n", mapping)) == 1
    with pytest.raises(Malformed, match="Tên%20cơ%20quan"):
        make(tmp_path, "x\n1\n", mapping)


def test_a_column_without_a_title_is_numbered(tmp_path: Path) -> None:
    mapping = f"# problem: a\n# solution: b\nCONSTRUCT {{ ?row <{COLUMN}y> ?v }} WHERE {{ ?row <{COLUMN}_col.1> ?v }}"
    assert len(make(tmp_path, ",name\n0,A\n1,B\n", mapping)) == 2


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Đắk Lắk", "dak-lak"), ("Bà Rịa - Vũng Tàu", "ba-ria-vung-tau"), ("72/2025/QH15", "72-2025-qh15"), ("…", "")],
)
def test_a_slug_is_plain(text: str, folded: str) -> None:
    assert slug(text) == folded


@given(st.text())
def test_a_slug_of_a_slug_is_itself(text: str) -> None:
    assert slug(slug(text)) == slug(text)


def test_tables_are_known_by_their_names() -> None:
    assert is_table(Path("a.csv"))
    assert is_table(Path("a.TSV.gz"))
    assert not is_table(Path("a.ttl"))
    assert not is_table(Path("csv"))


def test_the_example_in_the_documentation_runs(tmp_path: Path) -> None:
    page = Path(__file__).resolve().parents[2] / "service" / "docs" / "mappings.md"
    blocks = dict(re.findall(r"```(csv|sparql)\n(.*?)```", page.read_text("utf-8"), re.S))
    quads = make(tmp_path, blocks["csv"], blocks["sparql"])
    assert values(quads, "province-of-a", "#from") == {"2011-01-01"}
    assert values(quads, "province-of-b", "#until") == {"2011-01-01"}


def test_a_cell_may_be_as_long_as_a_text(tmp_path: Path) -> None:
    quads = make(tmp_path, f"name,alt,since,last\nA,{'x' * 200_000},,\n")
    assert values(quads, "/col:a", "altLabel") == {"x" * 200_000}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("A," + "x" * 1_100_000 + ",,", "a cell has more than 1 Mi characters"),
        ('A,"' + "x\n" * 600_000 + '",,', "a cell has more than 1 Mi characters"),
        ("x," * 12_000_000, "more than 16 Mi characters"),
        ('"x\n",' * 4_000_000, "more than 16 Mi characters"),
        ("x\n" * 50, "more than 30 cells"),
    ],
)
def test_a_packed_flood_of_a_table_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, words: str
) -> None:
    if "cells" in words:
        monkeypatch.setattr(tables, "MAX_CELLS", 30)
    (tmp_path / "a.rq").write_text(MAPPING.replace("# lists: alt\n", ""))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(f"name,alt,since,last\n{row}\n".encode(), 1))
    rows = tables._rows(tmp_path / "a.csv.gz", read_mapping(tmp_path / "a.rq"))
    with pytest.raises(Malformed, match=words) as caught:
        list(rows)
    assert caught.value.remedy
    assert caught.value.place is not None
    assert caught.value.place.line == (28 if "cells" in words else 2)


def test_a_byte_that_is_no_text_is_told_with_its_line_far_into_a_table(tmp_path: Path) -> None:
    table = "name,alt,since,last\n" + "Đắk Lắk,,,\n" * 30_000
    with pytest.raises(Malformed, match="is not utf-8") as caught:
        make(tmp_path, table.encode() + b"\xd0\xff,,,\n" + table.encode())
    assert caught.value.place == Place(str(tmp_path / "bodies.csv"), 30_002)


def test_an_encoding_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match='unknown encoding "klingon"'):
        make(tmp_path, mapping="# encoding: klingon\n" + MAPPING)


def test_a_gzipped_table_that_is_cut_off_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        make(tmp_path, gzip.compress(TABLE.encode())[:-9], name="bodies.csv.gz")


def test_a_value_in_mapped_rdf_that_makes_no_iri_is_told_with_the_file(tmp_path: Path) -> None:
    rules, data = tmp_path / "names.rq", tmp_path / "names.ttl"
    rules.write_text(
        "# problem: a\n# solution: b\nCONSTRUCT { ?x <urn:p> ?y } WHERE { ?x <urn:key> ?key BIND(IRI(?key) AS ?y) }"
    )
    data.write_text('<urn:a> <urn:key> "urn:b" . <urn:c> <urn:key> "not an IRI" .')
    with pytest.raises(Malformed, match='"not an IRI"') as caught:
        list(parse(input_of(data, rules), SOURCE))
    assert caught.value.place == Place(str(data))
