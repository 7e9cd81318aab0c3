"""Record a plan in one piece, withdraw it, and tell which plans were recorded.

A plan is one source of its own: applying states it, undoing lets it fall silent. Nothing is deleted by that: the
history has what it said, and ``known_at`` shows the register as it was between the two.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import pyoxigraph as ox

from graph.errors import Malformed, NotFound, Place, StoreFault
from graph.files import Progress, open_inputs
from graph.findings import Findings
from graph.journal import write_instant
from graph.labels import labels
from graph.plans.drafting import Draft, draft, is_applied
from graph.plans.foreseeing import Foresight, copy_of, foresee
from graph.plans.reading import Document, read_plan, schema
from graph.plans.saying import PLANS
from graph.plans.sheets import template
from graph.register import Register, RegisterReader
from graph.sources import Declaration, LoadReport, Parcel
from graph.store import OxigraphStore, Reader
from graph.terms import RDF, D, Graphs
from graph.view import View

_TOLD: Final = 5

__all__ = ["Applied", "apply", "plans", "preview", "read_plan", "schema", "template", "undo"]


@dataclass(frozen=True, slots=True)
class Applied:
    """Describe a plan that the register heard: ``stands`` is false once it was undone."""

    source: str
    slug: str
    title: str
    days: tuple[date, ...]
    stands: bool


def apply(
    register: Register, document: Document, who: str | None = None, message: str = "", progress: Progress | None = None
) -> LoadReport:
    """Check the plan against the register as it is now, and record it with its basis, all of it or nothing.

    Raises ``Malformed`` with the line for what cannot be, and where a plan of that name stands already.
    """
    with register.still, tempfile.TemporaryDirectory(prefix="diaba-") as folder:
        drafted = draft(document, register.reader.graph)
        path = Path(folder) / f"{drafted.slug}.nt"
        path.write_bytes(drafted.lines())
        with open_inputs([path], None) as found:
            inputs = tuple(one for group in found for one in group)
            return register.state(_parcel(drafted, inputs), message or f"Apply the plan {drafted.slug}", who, progress)


def _parcel(drafted: Draft, inputs: tuple[object, ...]) -> Parcel:
    declaration = Declaration(drafted.confidence, drafted.title, ends=drafted.ends)
    return Parcel(drafted.source, inputs, declaration)  # type: ignore[arg-type]


def preview(
    reader: RegisterReader, data: Path, document: Document, findings: Findings | None, progress: Progress | None = None
) -> Foresight:
    """Foresee what the plan would do to the register that ``reader`` shows, on a copy that is thrown away.

    ``data`` is the data directory, for the copy to lie on the same disk. Raises ``Malformed`` like ``apply``, and
    ``StoreFault`` where the graph is kept elsewhere and cannot be copied.
    """
    store = reader.graph
    if not isinstance(store, OxigraphStore):
        raise StoreFault(
            "The graph is kept in another service, which cannot be copied to try a plan on",
            remedy="Make a register of your own from a backup (diaba restore), and try it there.",
        )
    drafted = draft(document, store)
    with tempfile.TemporaryDirectory(prefix=".preview-", dir=data) as folder:
        scratch_path = Path(folder) / "graph"
        if isinstance(reader, View):
            copy_of(reader.path / "graph", scratch_path)
        else:
            store.raw.backup(str(scratch_path))
        scratch = OxigraphStore(scratch_path)
        try:
            return foresee(store, scratch, drafted, findings, write_instant(datetime.now(UTC)), progress)
        finally:
            scratch.close()


def undo(
    register: Register, slug: str, who: str | None = None, message: str = "", progress: Progress | None = None
) -> LoadReport:
    """Withdraw a plan: it falls silent, and what it ended goes on.

    Raises ``NotFound`` where no such plan stands, ``Malformed`` while something recorded later stands on it.
    """
    source = slug if slug.startswith(PLANS) else PLANS + slug
    with register.still:
        reader = register.reader.graph
        if not is_applied(reader, source):
            known = ", ".join(plan.slug for plan in plans(reader) if plan.stands) or "none"
            raise NotFound(f"No plan {slug} is applied", remedy=f"Those that stand: {known}.")
        above = sorted(set(_built_on(reader, source)))
        if above:
            more = f" and {len(above) - _TOLD} more" if len(above) > _TOLD else ""
            told = ", ".join(f"{subject} of {graph}" for graph, subject in above[:_TOLD])
            raise Malformed(
                f"The plan {slug} cannot be undone: what was recorded later stands on it: {told}{more}",
                remedy="Withdraw that first, or plan the way back as a plan of its own.", place=Place(source),
            )  # fmt: skip
        return register.state(
            Parcel(source, (), Declaration(ends={})), message or f"Undo the plan {slug}", who, progress
        )


def _built_on(reader: Reader, source: str) -> Iterator[tuple[str, str]]:
    """Yield graph and subject of what others say of things that the plan made."""
    rows = reader.query(f"SELECT DISTINCT ?made {{ GRAPH <{source}> {{ ?made ?said ?value }} }}")
    made = sorted(row["made"].value for row in rows)  # type: ignore[union-attr]
    for start in range(0, len(made), 500):
        values = " ".join(f"<{iri}>" for iri in made[start : start + 500] if iri.startswith(f"{source}/"))
        if not values:
            continue
        for pattern in ("?subject ?said ?made", "?made ?said ?value"):
            found = reader.query(
                f"SELECT DISTINCT ?graph ?made ?subject {{ VALUES ?made {{ {values} }} GRAPH ?graph {{ {pattern} }} }}"
            )
            for row in found:  # type: ignore[union-attr]
                graph = row["graph"].value
                if graph != source and not Graphs.is_reserved(graph):
                    yield graph, (row["subject"] or row["made"]).value


def plans(reader: Reader) -> list[Applied]:
    """Return the plans that the register heard, those that stand and those undone, by their first day."""
    sources = {source.value for source, _, _, home in reader.incoming([D.Plan], (RDF.type,)) if _is_note(home)}
    titles = labels(reader, sources)
    found = []
    for source in sorted(sources):
        rows = reader.query(f"SELECT DISTINCT ?day {{ GRAPH <{source}> {{ ?event <{D.effectiveOn}> ?day }} }}")
        days = sorted(date.fromisoformat(row["day"].value) for row in rows)  # type: ignore[union-attr]
        found.append(
            Applied(source, source.removeprefix(PLANS), titles[source], tuple(days), is_applied(reader, source))
        )
    return sorted(found, key=lambda plan: (plan.days or (date.max,), plan.slug))


def _is_note(graph: ox.NamedNode | ox.BlankNode | ox.DefaultGraph) -> bool:
    return graph == ox.NamedNode(Graphs.sources)
