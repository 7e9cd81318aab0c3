"""Say what is loaded and what came of it: a source with its files and what is declared of it, and a report of each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from graph.errors import Notice
from graph.files import Input
from graph.terms import XSD, D, Graphs


@dataclass(frozen=True, slots=True)
class Declaration:
    """Say about a source what its statements do not: ``None`` or empty keeps what is declared already.

    ``confidence`` is a full IRI (V3 where nothing was ever declared), ``title`` maps a language to a text. ``ends``
    is for a plan that is applied: what it ends, thing → first day without it; its word on that then counts.
    """

    confidence: str | None = None
    title: Mapping[str, str] = field(default_factory=dict)
    licence: str = ""
    ends: Mapping[str, date] | None = None

    def ends_lines(self, source: str) -> set[str]:
        """Return what the register states of what the plan ends, as lines of N-Quads without the final stop."""
        if self.ends is None:
            return set()
        graph = ends_graph(source)
        return {f'<{thing}> <{D.until}> "{day}"^^<{XSD.date}> <{graph}>' for thing, day in self.ends.items()}


def ends_graph(source: str) -> str:
    """Return the register's own graph that says when what a plan ends is over."""
    return Graphs.ends + hashlib.sha256(source.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bring one source: its IRI, the files that state it, and what is declared about it.

    Without any file the source falls silent: all it said is withdrawn.
    """

    source: str
    inputs: tuple[Input, ...]
    declaration: Declaration = Declaration()


@dataclass(frozen=True, slots=True)
class SourceReport:
    """Tell what a load did to one source. Counts are statements of the graph and records of the source.

    ``revision`` is the number of the change, ``None`` where nothing changed.
    """

    source: str
    revision: int | None
    added: int
    removed: int
    records_new: int
    records_changed: int
    records_withdrawn: int
    notices: tuple[Notice, ...] = ()

    @property
    def unchanged(self) -> bool:
        """Tell that the register already said all this."""
        return self.revision is None


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Tell what a load did: one report per source, and the revision the register stands at now."""

    sources: tuple[SourceReport, ...]
    revision: int

    @property
    def unchanged(self) -> bool:
        """Tell that no source changed anything."""
        return all(report.unchanged for report in self.sources)

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        return {
            "revision": self.revision,
            "unchanged": self.unchanged,
            "sources": [
                {
                    "source": report.source,
                    "revision": report.revision,
                    "unchanged": report.unchanged,
                    "statements": {"added": report.added, "removed": report.removed},
                    "records": {
                        "new": report.records_new,
                        "changed": report.records_changed,
                        "withdrawn": report.records_withdrawn,
                    },
                    "notices": [{"message": notice.message, **notice.data} for notice in report.notices],
                }
                for report in self.sources
            ],
        }

    def lines(self) -> Iterator[str]:
        """Yield the report as lines of text, one per source and notice."""
        for report in self.sources:
            if report.unchanged:
                yield f"{report.source}: unchanged"
            else:
                yield (
                    f"{report.source}: revision {report.revision}, {report.added} statements added, {report.removed}"
                    f" removed; {report.records_new} records new, {report.records_changed} changed,"
                    f" {report.records_withdrawn} withdrawn"
                )
            for notice in report.notices[:10]:
                told = ", ".join(f"{key} {value}" for key, value in notice.data.items())
                yield f"  {notice.message}" + (f" ({told})" if told else "")
            if len(report.notices) > 10:
                yield f"  and {len(report.notices) - 10} notices more"
