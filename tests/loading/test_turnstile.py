"""What passes the turnstile is what the parser and the door would have let in, and it comes to the same."""

from __future__ import annotations

import contextlib
from pathlib import Path
from unittest.mock import patch

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import loading
from graph.door import Door
from graph.errors import Fault
from graph.files import input_of
from graph.journal import Journal
from graph.projections import GraphProjection
from graph.store import OxigraphStore
from graph.terms import DCAT, DCT, RDF, XSD, Confidence, D, Graphs
from graph.turnstile import Turnstile

X = "https://example.org/"
SOURCE = X + "source"
AT = "2026-11-23T00:00:00Z"
A, P, B, G = (f"<{X}{name}>" for name in "apbg")


def passes(text: str | bytes, *, graphs: bool = True) -> bool:
    block = text.encode() if isinstance(text, str) else text
    return Turnstile(Door(), SOURCE, AT).passes(block, block.count(b"\n"), graphs=graphs) is not None


PLAIN = [
    f"{A} {P} {B} {G} .",
    f'{A} {P} "Hồ sơ địa bạ" {G} .',
    f'{A} {P} "said \\"so\\"\\n"@vi {G} .',
    f'{A} {P} "x"@zh-hant-tw {G} .',
    f'{A} {P} "01"^^<{XSD.integer}> {G} .',
    f"{A} {P} <https://example.org:8080/a?b=c#d> {G} .",
    f"{A} {P} <https://example.org> {G} .",
    f"{A} {P} <mailto:a@example.org> {G} .",
    f"{A} {P} <urn:uuid:6c84fb90-12c4-11e1-840d-7b25c5ee775a> {G} .",
    f"{A} {P} <https://example.org/%C4%91> {G} .",
    f"{A} {P} <https://example.org/đất-đai> {G} .",
    f"{A} <{RDF.type}> <{D.Responsibility}> {G} .",
    f'{A} <{D.from_}> "2025-03-01"^^<{XSD.date}> {G} .',
    f'{A} <{D.exclusive}> "true"^^<{XSD.boolean}> {G} .',
    f"{A} <{D.confidence}> <{Confidence.V1}> {G} .",
]
NOT_PLAIN = [
    "",
    "# said",
    f"{A} {P} {B} .",
    f"{A} {P} {B} {G}.",
    f"{A}  {P} {B} {G} .",
    f" {A} {P} {B} {G} .",
    f"{A} {P} {B} {G} . # said",
    f"{A} {P} {B} {G} .\r",
    f"_:b {P} {B} {G} .",
    f"{A} {P} _:b {G} .",
    f'{A} {P} "x"@VI {G} .',
    f'{A} {P} "x"@vi-V {G} .',
    f'{A} {P} "\\u0111" {G} .',
    f'{A} {P} "a" "b" {G} .',
    f'{A} {P} "x"^^<{RDF.NS}langString> {G} .',
    f"{A} {P} <https://example.org/%zz> {G} .",
    f"{A} {P} <https://example.org/a#b#c> {G} .",
    f"{A} {P} <https://example.org:80a/> {G} .",
    f"{A} {P} <https://> {G} .",
    f"{A} {P} <relative> {G} .",
    f"{A} {P} <https://example.org/[a]> {G} .",
    f"{A} {P} <<( {A} {P} {B} )>> {G} .",
    f'"a" {P} {B} {G} .',
    f'{A} "p" {B} {G} .',
    f"<{D.holder}> {P} {B} {G} .",
    f"<{Graphs.standings}> {P} {B} {G} .",
    f'{A} <{D.holder}> "somebody" {G} .',
    f"{A} <{D.holder}> <{D.NS}nobdy> {G} .",
    f"{A} <{D.NS}holdr> {B} {G} .",
    f"{A} <{RDF.type}> <{D.Standing}> {G} .",
    f"{A} <{D.recordedAt}> {B} {G} .",
    f"{A} <{D.confidence}> {B} {G} .",
    f'{A} <{D.exclusive}> "yes" {G} .',
    f'{A} <{D.from_}> "2025-02-30"^^<{XSD.date}> {G} .',
    f'{A} <{DCT.publisher}> "somebody" {G} .',
]


@pytest.mark.parametrize("line", PLAIN)
def test_a_plain_line_passes(line: str) -> None:
    assert passes(line + "\n")
    assert passes((line + "\n") * 3)
    triple = line.removesuffix(f" {G} .") + " .\n"
    assert passes(triple, graphs=False)
    assert not passes(triple)
    assert not passes(line + "\n", graphs=False)


@pytest.mark.parametrize("line", NOT_PLAIN)
def test_what_is_not_plain_is_left_to_the_door(line: str) -> None:
    good = PLAIN[0]
    for text in (line, f"{line}\n{good}", f"{good}\n{line}", f"{good}\n{line}\n{good}"):
        assert not passes(text + "\n")
    assert not passes(good), "a line without its end may go on"


def test_a_text_that_is_no_utf_8_is_left_to_the_parser() -> None:
    for wrong in (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe0\x80\x80", b"\x80"):
        for place in (f'{A} {P} "%s" {G} .\n', f"{A} {P} <{X}%s> {G} .\n"):
            assert not passes(place.encode().replace(b"%s", wrong))


IRIS = [
    *(f"<{X}{name}>" for name in ("a", "b", "c", "g1", "%41", "%4", "đ", "x#y", "x#y#z", "?q=1&r", "//")),
    "<https://example.org:1/>", "<https://example.org:123456/>", "<mailto:a@b>", "<urn:a:b>", "<urn:/a>", "<http://a?b>",
    "<ftp://x/y>", "<a>", "<>", "_:b", f"<{D.NS}nobody>", f"<{D.holder}>", f"<{Graphs.standings}>", f"<{DCAT.Dataset}>",
    f"<{D.Responsibility}>", f"<{D.Agency}>", f"<{D.Standing}>", f"<{Confidence.V2}>",
]  # fmt: skip
PREDICATES = [
    f"<{term}>"
    for term in (
        X + "p", RDF.type, DCT.publisher, DCT.title, D.holder, D.covers, D.condition, D.from_, D.until, D.issuedOn,
        D.normative, D.confidence, D.recordedAt, D.versionOf, D.status, D.NS + "nothing", D.Agency,
    )
]  # fmt: skip
DAYS = [f'"{day}"^^<{XSD.date}>' for day in ("2025-01-01", "2025-03-01", "2025-02-30", "2024-02-29", "0000-01-01")]
TEXTS = [
    *DAYS, '"a"', '"đ"@vi', '"a"@vi-vn', '"a"@en-GB', '"a"@abcd', '"a\\n\\"b\\\\"', '"a\\u0111"', '"\t"', '"a"b"',
    f'"true"^^<{XSD.boolean}>', f'"TRUE"^^<{XSD.boolean}>', f'"01"^^<{XSD.integer}>', f'"x"^^<{XSD.NS}anyThing>',
]  # fmt: skip
ENDS = [" .", ".", "  .", " . # said", "", " .\r"]


@st.composite
def lines_of(draw: st.DrawFn) -> str:
    """Draw a line, mostly a good one."""
    good = draw(st.integers(0, 9)) > 0
    subjects = st.sampled_from(IRIS[:4] if good else [*IRIS, '"a"'])
    objects = st.sampled_from([*IRIS, *TEXTS])
    graph = draw(st.sampled_from([f"<{X}g1>", f"<{X}g2>"] if good else [*IRIS, ""]))
    end = " ." if good else draw(st.sampled_from(ENDS))
    gap = " " if good else draw(st.sampled_from(["  ", "\t", ""]))
    return f"{draw(subjects)} {draw(st.sampled_from(PREDICATES))}{gap}{draw(objects)} {graph}{end}"


def outcome(folder: Path, path: Path) -> object:
    """Load a file as a large one; return what is in the graph then, with the counts, or what is told."""
    graph, journal = OxigraphStore(), Journal(folder)
    with contextlib.closing(journal):
        stage = loading.Loading(graph, OxigraphStore(), journal, AT, own=()).stage
        try:
            [staged] = stage([loading.Parcel(SOURCE, (input_of(path),))])
        except Fault as fault:
            return str(fault), fault.place
        entry = staged.entry("somebody", "")
        assert entry is not None
        GraphProjection(graph, journal).follow(journal.append([entry], AT), None)
        tally = staged.tally
        return {str(quad) for quad in graph.raw}, tally.records_new, staged.notices


def both(folder: Path, path: Path) -> tuple[object, object]:
    """Load a file with the turnstile and without."""
    (folder / "with").mkdir()
    (folder / "without").mkdir()
    with patch("graph.loading.LARGE", 1):
        passed = outcome(folder / "with", path)
        with patch.object(Turnstile, "passes", return_value=None):
            return passed, outcome(folder / "without", path)


@given(st.lists(lines_of(), min_size=1, max_size=6), st.booleans())
def test_a_load_comes_to_the_same_with_the_turnstile_and_without(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], triples: bool
) -> None:
    folder = tmp_path_factory.mktemp("both")
    path = folder / ("large.nt" if triples else "large.nq")
    text = "\n".join(lines) + "\n"
    if triples:
        text = text.replace(f" <{X}g1> .", " .").replace(f" <{X}g2> .", " .")
    path.write_text(text, "utf-8", newline="")
    passed, parsed = both(folder, path)
    assert passed == parsed


def test_a_version_is_left_to_the_door() -> None:
    assert not passes(f"{A} <{D.versionOf}> {A} {G} .\n")


@given(st.lists(lines_of(), min_size=1, max_size=3))
def test_what_passes_can_be_parsed_line_by_line(lines: list[str]) -> None:
    for line in lines:
        if passes(line + "\n"):
            [quad] = ox.parse(line.encode(), format=ox.RdfFormat.N_QUADS)
            assert str(quad.graph_name) == line.split(" ")[-2]


CHARACTERS = st.text(st.characters(codec="utf-8"), max_size=6)


@given(CHARACTERS, CHARACTERS)
def test_no_character_passes_that_the_parser_refuses(local: str, text: str) -> None:
    for line in (f"{A} {P} <{X}{local}> {G} .", f'{A} {P} "{text}" {G} .', f"{A} {P} <https:{local}> {G} ."):
        if passes(line + "\n"):
            [quad] = ox.parse(line.encode(), format=ox.RdfFormat.N_QUADS)
            assert quad.object.value in (X + local, text, "https:" + local) or "\\" in text
