"""What cannot be recorded is refused with its place and what to do, and the register stays as it was."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from graph.answering import who
from graph.door import BOOLEANS, DAYS, DERIVED, TERMS, Door
from graph.errors import Fault, ForeignGraph, Malformed, Unreadable
from graph.register import Register

from .conftest import PREFIXES, SOURCE, Load, state_of

BEFORE = len(PREFIXES.splitlines())
GOOD = "x:good x:b 1 .\n"


def refused(register: Register, load: Load, text: str, what: str, line: int | None = 2, **options: object) -> Fault:
    """Load a text that must be refused: ``line`` counts from the first after the prefixes."""
    before = state_of(register)
    with pytest.raises(Malformed, match=what) as told:
        load(GOOD + text, **options)
    fault = told.value
    assert fault.remedy
    assert fault.place is not None
    if line is not None:
        assert fault.place.line == BEFORE + line
    assert state_of(register) == before
    return fault


@pytest.mark.parametrize("term", ["holdr", "Responsability", "untill", "nonsense"])
def test_an_unknown_term_of_ours_is_refused(register: Register, load: Load, term: str) -> None:
    fault = refused(register, load, f"x:a d:{term} x:b .", f"no term d:{term}")
    assert (term == "nonsense") == ("ontology" in fault.remedy)


def test_a_slip_is_answered_with_the_right_word(register: Register, load: Load) -> None:
    assert refused(register, load, "x:a d:holdr x:b .", "no term").remedy == "Write d:holder."
    assert refused(register, load, "x:a a d:Responsability .", "no term").remedy == "Write d:Responsibility."


@pytest.mark.parametrize(
    "text", ["x:a a d:Nonsense .", "x:a d:holder d:nobdy .", "d:nonsense a x:Class .", "d:Foo x:b 1 ."]
)
def test_unknown_terms_are_found_wherever_they_stand(register: Register, load: Load, text: str) -> None:
    refused(register, load, text, "no term d:")


@pytest.mark.parametrize("term", sorted(DERIVED))
def test_what_the_register_derives_is_refused_from_outside(term: str) -> None:
    is_class = term.rpartition("#")[2][0].isupper()
    with pytest.raises(Malformed, match="derived by the register"):
        door_opens(f"x:a a <{term}> ." if is_class else f"x:a <{term}> x:b .")


def door_opens(text: str) -> None:
    """Hold one statement to the door."""
    [quad] = ox.parse(PREFIXES + text, format=ox.RdfFormat.TURTLE)
    check = Door().learn(quad.predicate)
    if check is not None:
        check(quad.subject, quad.object)


@pytest.mark.parametrize("term", sorted(DAYS))
@pytest.mark.parametrize(
    "value",
    [
        '"2025-02-30"^^xsd:date', '"2025-03-01Z"^^xsd:date', '"2025-03-01+07:00"^^xsd:date', '"2025-03"^^xsd:date',
        '"2025-03-01"', '"2025"^^xsd:gYear', '"2025-03-01T00:00:00Z"^^xsd:dateTime', '"20250301"^^xsd:date',
        '"01/03/2025"^^xsd:date', '"12025-03-01"^^xsd:date', "x:march", '"0000-01-01"^^xsd:date',
    ],
)  # fmt: skip
def test_a_day_that_is_no_day_is_refused(term: str, value: str) -> None:
    [quad] = ox.parse(f"{PREFIXES} x:a <{term}> {value} .", format=ox.RdfFormat.TURTLE)
    check = Door().learn(quad.predicate)
    assert check is not None
    with pytest.raises(Malformed, match="no day") as told:
        check(quad.subject, quad.object)
    assert told.value.remedy


def test_the_register_is_untouched_after_a_wrong_day(register: Register, load: Load) -> None:
    refused(register, load, 'x:a d:from "2025-02-30"^^xsd:date .', "d:from is .*2025-02-30.*no day")


@pytest.mark.parametrize("term", sorted(BOOLEANS))
def test_a_truth_value_is_true_or_false(register: Register, load: Load, term: str) -> None:
    refused(register, load, f"x:a <{term}> 'yes' .", "no truth value")
    load(f"x:a <{term}> true . x:b <{term}> '0'^^xsd:boolean .")


class TestIntervals:
    """Nothing ends before it starts."""

    def test_until_before_from_is_refused(self, register: Register, load: Load) -> None:
        text = 'x:a d:from "2025-03-01"^^xsd:date .\nx:c x:d 1 .\nx:a d:until "2025-02-01"^^xsd:date .'
        fault = refused(register, load, text, "ends on 2025-02-01, before it starts on 2025-03-01", line=4)
        assert "x:a" not in fault.message
        assert "https://example.org/a" in fault.message

    def test_the_order_of_the_two_does_not_matter(self, register: Register, load: Load) -> None:
        text = 'x:a d:until "2025-02-01"^^xsd:date .\nx:a d:from "2025-03-01"^^xsd:date .'
        refused(register, load, text, "ends on 2025-02-01", line=3)

    def test_an_empty_interval_can_be_recorded(self, load: Load) -> None:
        load('x:a d:until "2025-02-01"^^xsd:date ; d:from "2025-02-01"^^xsd:date .')

    def test_a_part_is_held_against_what_stands(self, register: Register, load: Load) -> None:
        load('x:a d:from "2025-03-01"^^xsd:date .')
        refused(register, load, 'x:a d:until "2025-02-01"^^xsd:date .', "ends on 2025-02-01", partial=True)

    def test_start_and_end_in_two_files_of_a_source(self, register: Register, tmp_path: Path) -> None:
        for name, day in (("from", "2025-03-01"), ("until", "2025-02-01")):
            text = f'{PREFIXES} x:a d:{name} "{day}"^^xsd:date .'
            (tmp_path / f"{name}.ttl").write_text(text)
        before = state_of(register)
        with pytest.raises(Malformed, match="ends before it starts"):
            register.load([tmp_path / "from.ttl", tmp_path / "until.ttl"], source=SOURCE)
        assert state_of(register) == before

    def test_nameless_nodes_of_two_files_are_not_confused(self, register: Register, tmp_path: Path) -> None:
        for name, day in (("from", "2025-03-01"), ("until", "2025-02-01")):
            (tmp_path / f"{name}.ttl").write_text(f'{PREFIXES} _:a d:{name} "{day}"^^xsd:date .')
        register.load([tmp_path / "from.ttl", tmp_path / "until.ttl"], source=SOURCE)


class TestRecordedTime:
    """The register sets recorded time itself, unless a load carries history."""

    @pytest.mark.parametrize("term", ["recordedAt", "withdrawnAt", "versionOf"])
    def test_without_history_it_is_refused(self, register: Register, load: Load, term: str) -> None:
        fault = refused(register, load, f"x:a d:{term} '2026-01-01T00:00:00Z'^^xsd:dateTime .", "set by the register")
        assert "--history" in fault.remedy

    @pytest.mark.parametrize(
        "value",
        ["'2026-01-01T00:00:00'^^xsd:dateTime", "'2026-01-01T07:00:00+07:00'^^xsd:dateTime", "'2026-01-01'^^xsd:date",
         "'2026-02-30T00:00:00Z'^^xsd:dateTime", "'2026-01-01T24:00:00Z'^^xsd:dateTime"],
    )  # fmt: skip
    def test_an_instant_is_in_z(self, register: Register, load: Load, value: str) -> None:
        refused(register, load, f"x:a a d:Flow ; d:recordedAt {value} .", "no instant", history=True)


def test_a_broken_file_names_its_line(register: Register, load: Load) -> None:
    refused(register, load, "x:a x:b x:c x:d .", "syntax")


@pytest.mark.parametrize("suffix", [".ttl", ".nt", ".jsonld"])
def test_a_long_text_is_refused(register: Register, load: Load, suffix: str) -> None:
    before = state_of(register)
    long = "x" * 10_000_000
    text = {
        ".ttl": 'x:a x:b """' + "yes\n" * 300_000 + '""" .',
        ".nt": f'<http://a/a> <http://a/b> "{long}" .\n',
        ".jsonld": f'{{"@id": "http://a/a", "http://a/b": "{long}"}}',
    }[suffix]
    with pytest.raises(Malformed, match="longer than") as told:
        load(text, suffix=suffix)
    assert len(str(told.value)) < 1000
    assert told.value.place
    assert state_of(register) == before


@pytest.mark.parametrize(
    ("name", "content"), [("empty.ttl", b""), ("a.ttl", b"%PDF-1.4"), ("a.nq", b"\x00\x01"), ("a.csv", b"a,b\n1,2\n")]
)
def test_what_is_no_rdf_leaves_the_register_alone(
    register: Register, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    before = state_of(register)
    with pytest.raises(Unreadable) as told:
        register.load([tmp_path / name])
    assert told.value.place
    assert told.value.remedy
    assert state_of(register) == before


def test_statements_about_statements_are_refused(register: Register, load: Load) -> None:
    text = "<http://a/a> <http://a/b> <<( <http://a/a> <http://a/b> <http://a/c> )>> .\n"
    with pytest.raises(Malformed):
        load(text, suffix=".nt")


@pytest.mark.parametrize("source", ["no iri", "relative/path", ""])
def test_a_source_is_an_absolute_name(register: Register, load: Load, source: str) -> None:
    with pytest.raises(Malformed, match="no IRI"):
        load(GOOD, source=source)


def test_what_is_merely_wrong_about_the_world_is_recorded(load: Load) -> None:
    report = load("""x:r1 a d:Responsibility ; d:role role:accountable, role:owner .
        x:t a d:Transfer ; d:takesFrom x:r1 ; d:creates x:r1 .
        x:a d:holder d:nobody .""")
    assert not report.unchanged


def test_every_term_the_door_lets_in_is_of_our_namespace() -> None:
    assert all("/ns#" in term for term in TERMS)
    assert DERIVED < TERMS


OTHER = "https://example.org/other"
RECORD = "x:r a d:Responsibility ; d:covers x:ds ; d:holder x:body ; d:role role:accountable ; d:from {day} .\n"
HELD = RECORD.format(day='"2025-01-01"^^xsd:date')


@pytest.mark.parametrize("said", ['d:until "2020-01-01"^^xsd:date', "a d:Responsibility ; d:holder x:evil", "x:b 1"])
def test_a_source_says_nothing_of_a_record_that_another_keeps(register: Register, load: Load, said: str) -> None:
    load(HELD)
    before = state_of(register)
    for more in ({}, {"partial": True}):
        with pytest.raises(ForeignGraph, match=f"kept by the source {SOURCE}") as told:
            load(GOOD + f"x:r {said} .", source=OTHER, **more)
        assert told.value.place is not None
        assert told.value.place.line == BEFORE + 2
    assert state_of(register) == before
    with pytest.raises(ForeignGraph):
        load(HELD, source=OTHER)
    load(HELD + "x:r x:more 1 .", source=SOURCE)


def test_a_large_load_says_nothing_of_a_record_that_another_keeps(
    register: Register, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(HELD)
    monkeypatch.setattr("graph.loading.STREAMED", 50)
    monkeypatch.setattr("graph.loading.LARGE", 50)
    plain = "".join(
        f"<https://example.org/n{n}> <https://example.org/b> <https://example.org/c> .\n" for n in range(200)
    )
    evil = "<https://example.org/r> <https://w3id.org/diaba/ns#holder> <https://example.org/evil> .\n"
    before = state_of(register)
    for suffix in (".nq", ".nt"):
        for text in (plain + evil, evil + plain):
            with pytest.raises(ForeignGraph, match="kept by the source"):
                load(text, source=OTHER, suffix=suffix)
    assert state_of(register) == before
    load(plain, source=OTHER, suffix=".nq")


@pytest.mark.parametrize(
    "name", ["standing/c017", "finding/1", "graph/standings", "ns#holder", "ns#nobody", "scope/a~b"]
)
@pytest.mark.parametrize("large", [False, True])
def test_no_source_speaks_of_what_is_the_registers_own(
    register: Register, load: Load, monkeypatch: pytest.MonkeyPatch, name: str, large: bool
) -> None:
    if large:
        monkeypatch.setattr("graph.loading.LARGE", 1)
    text = f"<https://w3id.org/diaba/{name}> <http://purl.org/dc/terms/title> <https://example.org/evil> .\n"
    before = state_of(register)
    with pytest.raises(Malformed, match="no other source may speak of it") as told:
        load(text, suffix=".nq")
    assert told.value.place is not None
    assert told.value.place.line == 1
    assert state_of(register) == before


def test_the_sources_that_come_with_the_register_are_not_written_over(register: Register, load: Load) -> None:
    before = state_of(register)
    with pytest.raises(ForeignGraph, match="comes with the register"):
        load("x:a x:b 1 .", source="https://w3id.org/diaba/ns")
    assert state_of(register) == before


def test_a_source_cannot_vouch_for_itself(register: Register, load: Load) -> None:
    load(HELD + f"x:ds a dcat:Dataset . <{SOURCE}> d:confidence conf:V1 .", confidence="R")
    assert not who(register.reader, "https://example.org/ds").accountable.lines


@pytest.mark.parametrize(
    "link", ["d:confidence 'R'", "d:role 'accountable'", "d:holder 'somebody'", "d:source 'paper'"]
)
def test_words_where_a_thing_must_be_named_are_refused(register: Register, load: Load, link: str) -> None:
    refused(register, load, f"x:r {link} .", "which is no mark|must name a thing")


def test_a_confidence_is_one_of_the_five_marks(register: Register, load: Load) -> None:
    assert "V3-mock" in refused(register, load, "x:r d:confidence conf:V9 .", "no mark").remedy


def test_an_inverted_interval_of_a_blank_node_is_found_with_its_line(register: Register, load: Load) -> None:
    text = '[] a d:Responsibility ; d:from "2025-02-28"^^xsd:date ;\n  d:until "2025-02-27"^^xsd:date .'
    refused(register, load, text, "ends on 2025-02-27, before it starts on 2025-02-28", line=3)


def test_a_far_word_is_not_suggested(register: Register, load: Load) -> None:
    assert "ontology" in refused(register, load, "x:a d:covers d:foo .", "no term d:foo").remedy


def test_two_sources_of_one_load_do_not_state_the_same_record(register: Register, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.ttl").write_text(PREFIXES + HELD, "utf-8")
    before = state_of(register)
    with pytest.raises(ForeignGraph, match="kept by the source .*one.ttl"):
        register.load([tmp_path / "one.ttl", tmp_path / "two.ttl"])
    assert state_of(register) == before
    register.load([tmp_path / "one.ttl", tmp_path / "two.ttl"], source=SOURCE)


VERSION = """<https://example.org/r/v/1> a d:Responsibility ; d:versionOf x:r ; d:holder x:evil ;
  d:role role:accountable ; d:covers x:ds ;
  d:recordedAt "{recorded}"^^xsd:dateTime ; d:withdrawnAt "{withdrawn}"^^xsd:dateTime ."""


def test_a_source_brings_no_version_of_a_record_that_another_keeps(register: Register, load: Load) -> None:
    load(HELD)
    before = state_of(register)
    version = VERSION.format(recorded="2020-01-01T00:00:00Z", withdrawn="2026-01-01T00:00:00Z")
    with pytest.raises(ForeignGraph, match="kept by the source"):
        load(version, source=OTHER, history=True)
    assert state_of(register) == before


def test_what_was_recorded_is_withdrawn_later_and_not_in_a_time_to_come(register: Register, load: Load) -> None:
    inverted = VERSION.format(recorded="2026-01-02T00:00:00Z", withdrawn="2026-01-01T00:00:00Z")
    refused(register, load, inverted, "before it was recorded", line=None, history=True)
    coming = HELD + 'x:r d:recordedAt "2999-01-01T00:00:00Z"^^xsd:dateTime .'
    refused(register, load, coming, "still to come", line=None, history=True)


def test_blank_nodes_of_two_files_are_never_one(register: Register, tmp_path: Path) -> None:
    for number, (label, name) in enumerate([("f1xb", "zero"), ("b", "one")]):
        text = f'x:{name} x:p _:{label} . _:{label} x:n "{name}" .'
        (tmp_path / f"{number}.ttl").write_text(PREFIXES + text, "utf-8")
    register.load([tmp_path / "0.ttl", tmp_path / "1.ttl"], source=SOURCE)
    [zero] = register.reader.graph.outgoing(["https://example.org/zero"])
    [one] = register.reader.graph.outgoing(["https://example.org/one"])
    assert zero.object != one.object
