"""Real catalogues and the worked example load, and a second load changes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from graph.answering import who
from graph.files import input_of, parse
from graph.register import Register
from graph.terms import DCAT, PROV, RDF, D, Role, Status

X = "https://w3id.org/diaba/example/"
BELGIUM = "https://data.example.be/feed/index.trig"


def test_the_belgian_catalogue_is_one_source(data: Path, shared: Path) -> None:
    pages = sorted((shared / "real" / "belgium").glob("*.trig"))
    assert len(pages) == 4
    with Register.open(data) as register:
        [report] = register.load(pages, source=BELGIUM).sources
        assert report.records_new == 192
        graph = register.reader.graph
        datasets = sorted({s.value for s, _, _, _ in graph.incoming((DCAT.Dataset,), (RDF.type,))})
        assert len(datasets) == 198
        assert list(graph.outgoing((BELGIUM,), (RDF.type,)))  # <index.trig> of the pages
        doors = {s.value for s, _, _, _ in graph.incoming((D.door,), (PROV.wasGeneratedBy,))}
        covered = {o.value for _, _, o, _ in graph.outgoing(sorted(doors), (D.covers,))}
        assert len(doors) == len(covered) == 192
        cards = [who(register.reader, dataset) for dataset in datasets]
        assert {card.accountable.status for card in cards} == {Status.unknown}
        published = [card for card in cards if Role.publisher in card.decisions]
        assert {card.decisions[Role.publisher].status for card in published} == {Status.held}
        assert len(published) == 192
        assert register.load(pages, source=BELGIUM).unchanged
        assert register.revision == 2


def test_the_worked_example_answers_from_its_history(data: Path, shared: Path) -> None:
    with Register.open(data) as register:
        register.load(shared / "model-example.ttl", history=True)
        assert register.load(shared / "model-example.ttl", history=True).unchanged
        assert _holders(register, "land-national", date(2026, 1, 1), None) == {"mae"}
        known = datetime(2026, 11, 20, 12, tzinfo=UTC)
        assert _holders(register, "land-national", date(2026, 1, 1), known) == {"moc"}


def _holders(register: Register, name: str, day: date, known: datetime | None) -> set[str]:
    return {holder.removeprefix(X) for holder in who(register.reader, X + name, day, known).accountable.holders}


def test_the_dutch_registers_are_json_ld_with_their_own_words(shared: Path) -> None:
    for path in sorted((shared / "real" / "netherlands").glob("*.jsonld")):
        assert sum(1 for _ in parse(input_of(path), "https://example.org/")) > 50
