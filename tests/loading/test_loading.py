"""A load states its sources anew: the same again changes nothing, what is left out is withdrawn."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph import loading
from graph.errors import Fault, ForeignGraph, Unreadable
from graph.files import input_of
from graph.journal import Journal
from graph.projections import GraphProjection
from graph.register import Register
from graph.store import OxigraphStore
from graph.terms import DCT, PROV, Confidence, D, Graphs, Role

from .conftest import PREFIXES, SOURCE, Load, state_of

X = "https://example.org/"
RECORD = "x:r a d:Responsibility ; d:holder x:a ; d:role role:accountable ; d:covers x:ds ."


def objects(register: Register, node: str, predicate: str) -> list[str]:
    return sorted(str(value.value) for _, _, value, _ in register.reader.graph.outgoing((node,), (predicate,)))


def graphs_of(register: Register, node: str) -> set[str]:
    return {graph.value for _, _, _, graph in register.reader.graph.outgoing((node,))}


def test_statements_go_to_the_graph_of_their_source(register: Register, load: Load) -> None:
    report = load("x:a skos:prefLabel 'A'@vi .")
    assert graphs_of(register, X + "a") == {SOURCE}
    [told] = report.sources
    assert (told.source, told.revision, told.removed) == (SOURCE, register.revision, 0)
    assert report.revision == register.revision


@pytest.mark.parametrize(
    "text",
    [
        "x:a x:b '01'^^xsd:integer, '1.50'^^xsd:decimal, 'P12M'^^xsd:duration, '1e3'^^xsd:double, '1'^^xsd:boolean .",
        "x:a x:b '2025-03-01T00:00:00+00:00'^^xsd:dateTime, 'abc'^^xsd:integer, 'x'@EN-us, 'NaN'^^xsd:double .",
        "x:a x:b [ x:c 1 ; x:d [ x:e 2 ] ] ; x:f ( 1 2 3 ) .",
        RECORD,
        "x:ds a dcat:Dataset ; dct:publisher x:p .",
        "x:a x:b 'tab\\t quote \\\" newline \\n đ' .",
    ],
)  # fmt: skip
def test_the_same_again_changes_nothing(register: Register, load: Load, text: str) -> None:
    load(text)
    before = state_of(register)
    assert load(text).unchanged
    assert state_of(register) == before


def test_what_a_source_no_longer_says_is_withdrawn(register: Register, load: Load) -> None:
    load("x:a x:b 1, 2 .")
    report = load("x:a x:b 2, 3 .")
    assert (report.sources[0].added, report.sources[0].removed) == (1, 1)
    assert objects(register, X + "a", X + "b") == ["2", "3"]


def test_a_partial_load_never_withdraws(register: Register, load: Load) -> None:
    load("x:a x:b 1 . x:c x:d 1 .")
    load("x:a x:b 2 .", partial=True)
    assert objects(register, X + "a", X + "b") == ["1", "2"]
    assert objects(register, X + "c", X + "d") == ["1"]
    assert load("x:a x:b 2 .", partial=True).unchanged


def test_one_source_does_not_touch_another(register: Register, load: Load) -> None:
    load("x:a x:b 1 .", source=SOURCE + "/1")
    load("x:a x:b 2 .", source=SOURCE + "/2")
    load("x:a x:b 3 .", source=SOURCE + "/1")
    assert objects(register, X + "a", X + "b") == ["2", "3"]


def test_files_without_a_source_are_each_their_own(register: Register, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.ttl").write_text(f"<#me> <http://a/p> '{name}' .")
    report = register.load([tmp_path / "one.ttl", tmp_path / "two.ttl"])
    address = (tmp_path / "one.ttl").as_uri()
    assert [told.source for told in report.sources] == [address, (tmp_path / "two.ttl").as_uri()]
    assert objects(register, address + "#me", "http://a/p") == ["one"]


def test_relative_names_resolve_against_the_source(register: Register, load: Load) -> None:
    load("<thing> x:b <#here> .")
    assert objects(register, X + "thing", X + "b") == [SOURCE + "#here"]


def test_several_files_are_one_source_when_it_is_named(register: Register, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.ttl").write_text(f"_:x <http://a/p> '{name}' . _:x <http://a/q> <http://a/{name}> .")
    [told] = register.load([tmp_path / "one.ttl", tmp_path / "two.ttl"], source=SOURCE).sources
    assert told.added == 5  # two statements of two different nodes, and the confidence of the source
    (tmp_path / "two.ttl").unlink()
    [told] = register.load([tmp_path / "one.ttl"], source=SOURCE).sources
    assert (told.added, told.removed) == (0, 2)


def test_all_files_or_none(register: Register, tmp_path: Path) -> None:
    (tmp_path / "good.ttl").write_text("<a> <http://a/p> 1 .")
    (tmp_path / "empty.ttl").write_text("# nothing\n")
    before = state_of(register)
    with pytest.raises(Unreadable, match="no statement") as told:
        register.load([tmp_path / "good.ttl", tmp_path / "empty.ttl"])
    assert "empty.ttl" in str(told.value)
    assert state_of(register) == before


class TestSources:
    """What is declared about a source stands in a graph of its own."""

    def test_confidence_is_declared_and_kept(self, register: Register, load: Load) -> None:
        load("x:a x:b 1 .")
        assert objects(register, SOURCE, D.confidence) == [Confidence.V3]
        assert load("x:a x:b 1 .", confidence="R").sources[0].removed == 1
        assert load("x:a x:b 1 .").unchanged
        assert objects(register, SOURCE, D.confidence) == [Confidence.R]
        assert graphs_of(register, SOURCE) == {Graphs.sources}

    def test_graphs_named_in_a_file_become_parts_of_the_source(self, register: Register, load: Load) -> None:
        load("x:g1 { x:a x:b 1 } x:g2 { x:a x:b 2 } { x:a x:b 3 }", suffix=".trig")
        assert graphs_of(register, X + "a") == {SOURCE, X + "g1", X + "g2"}
        assert objects(register, X + "g1", DCT.isPartOf) == [SOURCE]
        load("x:g1 { x:a x:b 1 }", suffix=".trig")
        assert graphs_of(register, X + "a") == {X + "g1"}
        assert objects(register, X + "g2", DCT.isPartOf) == []

    @pytest.mark.parametrize("graph", sorted(Graphs.RESERVED))
    def test_the_registers_own_graphs_are_refused(self, register: Register, load: Load, graph: str) -> None:
        before = state_of(register)
        with pytest.raises(ForeignGraph, match="belongs to the register") as told:
            load(f"{{ x:a x:b 1 }}\n<{graph}> {{ x:a x:b 1 }}", suffix=".trig")
        assert told.value.place is not None
        assert told.value.place.line == len(PREFIXES.splitlines()) + 2
        assert state_of(register) == before
        with pytest.raises(ForeignGraph):
            load("x:a x:b 1 .", source=graph)

    def test_another_sources_graphs_are_refused(self, register: Register, load: Load) -> None:
        load("x:g1 { x:a x:b 1 } { x:a x:b 2 }", suffix=".trig")
        before = state_of(register)
        for graph in (SOURCE, X + "g1", "https://w3id.org/diaba/ns"):
            with pytest.raises(ForeignGraph, match="belongs to the source") as told:
                load(f"<{graph}> {{ x:a x:b 3 }}", suffix=".trig", source=X + "other")
            assert told.value.place
        with pytest.raises(ForeignGraph, match="is part of the source"):
            load("x:a x:b 3 .", source=X + "g1")
        assert state_of(register) == before

    def test_two_sources_of_one_load_cannot_name_one_graph(self, register: Register, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / f"{name}.trig").write_text("<http://a/g> { <http://a/a> <http://a/p> 1 }")
        with pytest.raises(ForeignGraph):
            register.load([tmp_path / "one.trig", tmp_path / "two.trig"])


class TestRecords:
    """Records carry the instant they were recorded at; what they said before goes to the history."""

    def test_a_new_record_gets_the_instant_of_its_change(self, register: Register, load: Load) -> None:
        report = load(RECORD)
        last = register.journal.last()
        assert last is not None
        assert objects(register, X + "r", D.recordedAt) == [last.at]
        assert report.sources[0].records_new == 1

    def test_an_unchanged_record_keeps_its_instant(self, register: Register, load: Load) -> None:
        load(RECORD)
        first = objects(register, X + "r", D.recordedAt)
        report = load(RECORD + " x:s a d:Flow .")
        assert objects(register, X + "r", D.recordedAt) == first
        assert (report.sources[0].records_new, report.sources[0].records_changed) == (1, 0)

    def test_a_changed_record_leaves_its_old_state_in_the_history(self, register: Register, load: Load) -> None:
        load(RECORD)
        [first] = objects(register, X + "r", D.recordedAt)
        report = load(RECORD.replace("x:a", "x:b"))
        [second] = objects(register, X + "r", D.recordedAt)
        assert report.sources[0].records_changed == 1
        version = {p.value: o.value for _, p, o, _ in register.reader.history.outgoing((X + "r/v/1",))}
        assert version[D.holder] == X + "a"
        assert (version[D.recordedAt], version[D.withdrawnAt]) == (first, second)
        assert version[D.versionOf] == X + "r"
        assert second > first
        load(RECORD)
        assert {v.value for v, _, _, _ in register.reader.history.incoming((X + "r",), (D.versionOf,))} == {
            X + "r/v/1", X + "r/v/2",
        }  # fmt: skip
        assert not list(register.reader.graph.incoming((X + "r",), (D.versionOf,)))

    def test_a_withdrawn_record_is_remembered(self, register: Register, load: Load) -> None:
        load(RECORD + " x:a x:b 1 .")
        report = load("x:a x:b 1 .")
        assert report.sources[0].records_withdrawn == 1
        assert not list(register.reader.graph.outgoing((X + "r",)))
        assert list(register.reader.history.outgoing((X + "r/v/1",), (D.withdrawnAt,)))

    def test_a_record_that_comes_back_goes_on_counting(self, register: Register, load: Load) -> None:
        load(RECORD + " x:a x:b 1 .")
        load("x:a x:b 1 .")
        load(RECORD + " x:a x:b 1 .")
        load("x:a x:b 1 .")
        assert list(register.reader.history.outgoing((X + "r/v/2",)))

    def test_what_a_record_points_to_without_a_name_is_remembered_with_it(
        self, register: Register, load: Load
    ) -> None:
        load("x:r a d:Flow ; x:note [ x:text 'before' ; x:deeper [ x:text 'below' ] ] .")
        load("x:r a d:Flow .")
        [note] = [o.value for _, _, o, _ in register.reader.history.outgoing((X + "r/v/1",), (X + "note",))]
        assert {str(o.value) for _, p, o, _ in register.reader.history.outgoing((note,)) if p.value == X + "text"} == {
            "before"
        }
        [deeper] = [o.value for _, _, o, _ in register.reader.history.outgoing((note,), (X + "deeper",))]
        assert list(register.reader.history.outgoing((deeper,)))

    def test_the_journal_lists_the_versions(self, register: Register, load: Load) -> None:
        load(RECORD)
        load(RECORD.replace("x:a", "x:b"))
        last = register.journal.last()
        assert last is not None
        assert last.versions == len(list(register.journal.quads(last, "versions"))) == 7


class TestHistory:
    """A load with history brings recorded times and versions itself."""

    TEXT = """x:r a d:Flow ; d:flowFrom x:a ; d:recordedAt "2026-01-02T00:00:00Z"^^xsd:dateTime .
    <https://example.org/r/v/1> a d:Flow ; d:versionOf x:r ; d:flowFrom x:b ;
      d:recordedAt "2026-01-01T00:00:00Z"^^xsd:dateTime ; d:withdrawnAt "2026-01-02T00:00:00Z"^^xsd:dateTime ."""

    def test_times_and_versions_are_taken_over(self, register: Register, load: Load) -> None:
        load(self.TEXT, history=True)
        assert objects(register, X + "r", D.recordedAt) == ["2026-01-02T00:00:00Z"]
        assert not list(register.reader.graph.outgoing((X + "r/v/1",)))
        assert len(list(register.reader.history.outgoing((X + "r/v/1",)))) == 5
        assert load(self.TEXT, history=True).unchanged

    def test_numbers_go_on_after_the_versions_that_were_brought(self, register: Register, load: Load) -> None:
        load(self.TEXT, history=True)
        load("x:r a d:Flow ; d:flowFrom x:c .")
        assert list(register.reader.history.outgoing((X + "r/v/2",)))

    def test_the_same_state_without_times_is_no_change(self, register: Register, load: Load) -> None:
        load(self.TEXT, history=True)
        assert load("x:r a d:Flow ; d:flowFrom x:a .").unchanged

    def test_a_version_is_never_replaced(self, register: Register, load: Load) -> None:
        load(self.TEXT, history=True)
        before = state_of(register)
        with pytest.raises(loading.Malformed, match="another version") as told:
            load(self.TEXT.replace("x:b", "x:c"), history=True)
        assert told.value.place is not None
        assert told.value.place.line
        assert state_of(register) == before

    def test_a_version_needs_both_its_instants(self, register: Register, load: Load) -> None:
        with pytest.raises(loading.Malformed, match="no d:withdrawnAt"):
            load("x:v a d:Flow ; d:versionOf x:r ; d:recordedAt '2026-01-01T00:00:00Z'^^xsd:dateTime .", history=True)


class TestPublisher:
    """A catalogue's publisher becomes a record that the register weighs like any other."""

    def derived(self, register: Register) -> list[dict[str, str]]:
        nodes = {s.value for s, _, _, _ in register.reader.graph.incoming((D.door,), (PROV.wasGeneratedBy,))}
        return [
            {p.value: o.value for _, p, o, _ in register.reader.graph.outgoing((node,))} for node in sorted(nodes)
        ]

    def test_a_publisher_of_a_dataset_holds_the_role(self, register: Register, load: Load) -> None:
        report = load("x:ds dct:publisher x:p ; a dcat:Dataset .")
        [record] = self.derived(register)
        assert (record[D.covers], record[D.holder], record[D.role]) == (X + "ds", X + "p", Role.publisher)
        assert D.from_ not in record
        assert record[D.recordedAt]
        assert report.sources[0].records_new == 1

    def test_a_publisher_of_something_else_is_left_alone(self, register: Register, load: Load) -> None:
        load("x:book dct:publisher x:p .")
        assert not self.derived(register)

    def test_a_publisher_that_is_dropped_is_withdrawn(self, register: Register, load: Load) -> None:
        load("x:ds a dcat:Dataset ; dct:publisher x:p .")
        load("x:ds a dcat:Dataset .")
        assert not self.derived(register)

    def test_a_text_is_no_publisher_and_is_told(self, register: Register, load: Load) -> None:
        [told] = load("x:ds a dcat:Dataset ; dct:publisher 'Bộ Tài chính' .").sources
        assert not self.derived(register)
        assert "publisher" in told.notices[0].message

    def test_a_part_may_give_the_publisher_alone(self, register: Register, load: Load) -> None:
        load("x:ds a dcat:Dataset .")
        load("x:ds dct:publisher x:p .", partial=True)
        assert len(self.derived(register)) == 1


def test_scopes_follow_their_records(register: Register, load: Load) -> None:
    def keys() -> int:
        return len(list(register.reader.graph.contents(Graphs.scopes)))  # type: ignore[attr-defined]

    load("x:r a d:Responsibility ; d:holder x:a ; d:field x:f1, x:f2 ; d:area x:a1 .")
    assert keys() == 2
    load("x:r a d:Responsibility ; d:holder x:a ; d:field x:f1, x:f2 ; d:area x:a1 ; d:covers x:ds .")
    assert keys() == 0
    load("x:r a d:Responsibility ; d:holder x:a ; d:area x:a1 .")
    assert keys() == 1
    load("x:a x:b 1 .")
    assert keys() == 0


def test_a_large_first_load_is_streamed_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        f"x:r{n} a d:Responsibility ; d:holder x:h{n % 7} ; d:role role:accountable ; d:covers x:ds{n} ;"
        f" d:from '2025-01-0{n % 9 + 1}'^^xsd:date ; x:n '0{n}'^^xsd:integer ; x:b [ x:c {n % 5} ] .\n"
        f"x:ds{n} a dcat:Dataset ; dct:publisher x:p{n % 3} ."
        for n in range(60)
    ]
    path = tmp_path / "large.ttl"
    path.write_text(PREFIXES + "\n".join(lines))
    states = []
    for name, limit in (("streamed", 50), ("compared", 1_000_000)):
        monkeypatch.setattr(loading, "STREAMED", limit)
        monkeypatch.setattr(loading.Journal, "next_instant", lambda _: "2026-11-23T00:00:00Z")
        with Register.create(tmp_path / name, pack=None) as register:
            report = register.load([path], source=SOURCE)
            assert report.sources[0].records_new == 120
            states.append(state_of(register))
            assert register.load([path], source=SOURCE).unchanged
    assert states[0] == states[1]


ODD_LINES = [
    "",
    "# added",
    "  # a comment .",
    '_:b <https://example.org/p> "blank" <https://example.org/g1> .',
    '_:b <https://example.org/p> "in a graph of its own" <https://example.org/g4> .',
    '<https://example.org/a> <https://example.org/p> _:b <https://example.org/g1> .',
    '<https://example.org/a> <https://example.org/p> "no graph" .',
    '<https://example.org/a> <https://example.org/p> "escaped \\u0111 \\n # added" <https://example.org/g2> . # said',
    '<https://example.org/a>   <https://example.org/p> "spaced"   <https://example.org/g2>   .',
    '<https://example.org/a> <https://example.org/p> "tight"<https://example.org/g3>.',
    "<https://example.org/a> <http://purl.org/dc/terms/publisher> <https://example.org/p> <https://example.org/g1> .",
]


@pytest.mark.parametrize("odd", range(len(ODD_LINES) + 1))
def test_plain_lines_are_taken_over_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: int
) -> None:
    lines = [
        f'<{X}r{n}> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <{D.Responsibility}> <{X}g{n % 3}> .\n'
        f'<{X}r{n}> <{D.holder}> <{X}h> <{X}g{n % 3}> .\n<{X}r{n}> <{X}n> "0{n}" <{X}g{n % 3}> .'
        for n in range(40)
    ]
    path = tmp_path / "large.nq"
    path.write_text("\n".join([*lines, *ODD_LINES[odd : odd + 1], *lines[:2]]) + "\n" * (odd % 2))
    outcomes = []
    for name, limit in (("lines", 10), ("compared", 1_000_000)):
        folder = tmp_path / name
        folder.mkdir()
        graph, journal = OxigraphStore(), Journal(folder)
        monkeypatch.setattr(loading, "LARGE", limit)
        stage = loading.Loading(graph, OxigraphStore(), journal, "2026-11-23T00:00:00Z").stage
        [staged] = stage([loading.Parcel(SOURCE, (input_of(path),))])
        entry = staged.entry("somebody", "")
        assert entry is not None
        assert staged.tally.records_new >= 40
        GraphProjection(graph, journal).follow(journal.append([entry], "2026-11-23T00:00:00Z"), None)
        assert journal.verify() == 1
        outcomes.append({str(quad) for quad in graph.raw})
        journal.close()
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (f'<{X}a> <{D.NS}holdr> <{X}b> <{X}g> .', "no term d:holdr"),
        (f'<{X}a> <{D.holder}> <{D.NS}nobdy> <{X}g> .', "no term d:nobdy"),
        (f'<{X}a> <{D.holder}> <https://w3id.org/diaba/ns\\u0023nobdy> <{X}g> .', "no term d:nobdy"),
        (f'<{X}a> <{D.from_}> "2025-02-30"^^<http://www.w3.org/2001/XMLSchema#date> <{X}g> .', "no day"),
        (f'<{X}a> <{D.recordedAt}> "2025-02-20T00:00:00Z" <{X}g> .', "set by the register"),
        (f'<{X}a> <{X}p> <{X}b> <{Graphs.standings}> .', "belongs to the register"),
        (f'<{X}a> <{X}p> <{X}b> <{X}g>', "syntax"),
    ],
)  # fmt: skip
def test_a_fault_in_plain_lines_is_found_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str, what: str
) -> None:
    monkeypatch.setattr(loading, "LARGE", 10)
    good = f'<{X}r> <{X}p> "good" <{X}g> .\n'
    path = tmp_path / "large.nq"
    path.write_text(good * 20_000 + wrong + "\n" + good * 20_000)
    journal = Journal(tmp_path)
    stage = loading.Loading(OxigraphStore(), OxigraphStore(), journal, "2026-11-23T00:00:00Z").stage
    with pytest.raises(Fault, match=what) as told:
        stage([loading.Parcel(SOURCE, (input_of(path),))])
    assert told.value.place is not None
    assert told.value.place.line in (20_001, 20_002)
    journal.close()


states = st.frozensets(st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 3)), min_size=1)


@given(st.lists(states, min_size=2, max_size=4))
def test_the_last_statement_of_a_source_is_what_stands(
    tmp_path_factory: pytest.TempPathFactory, told: list[frozenset[tuple[int, int, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("states")
    graph, journal = OxigraphStore(), Journal(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "RUN", 3)  # sort on disk
        for number, state in enumerate(told):
            path = folder / f"{number}.nt"
            path.write_text("".join(f"<{X}{s}> <{X}p{p}> <{X}{o}> .\n" for s, p, o in sorted(state)))
            at = journal.next_instant()
            stage = loading.Loading(graph, OxigraphStore(), journal, at).stage
            [staged] = stage([loading.Parcel(SOURCE, (input_of(path),))])
            entry = staged.entry("somebody", "")
            changed = journal.append([entry], at) if entry else []
            GraphProjection(graph, journal).follow(changed, None)
            assert bool(changed) == (number == 0 or state != told[number - 1])
            assert {
                (int(s.value[len(X) :]), int(p.value[len(X) + 1 :]), int(o.value[len(X) :]))
                for s, p, o, _ in graph.contents(SOURCE)
            } == state
    journal.close()
