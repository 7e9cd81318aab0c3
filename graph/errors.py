"""State what went wrong as a fact with data: one class per fault, turned into words and HTTP statuses elsewhere.

Every error says where it happened and what to do. ``Fault`` is the root; nothing else is raised on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Point into an input: file (or source) and, where known, the line and column, both from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file]
        if self.line is not None:
            parts.append(str(self.line))
            if self.column is not None:
                parts.append(str(self.column))
        return ":".join(parts)


class Fault(Exception):
    """Say what is wrong, where, and what to do about it.

    ``message`` is one sentence without a final stop, ``remedy`` an imperative sentence; ``place`` may be unknown.
    """

    def __init__(self, message: str, *, remedy: str = "", place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.place = place

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        todo = f" {self.remedy}" if self.remedy else ""
        return f"{where}{self.message}.{todo}"


class Malformed(Fault):
    """An input cannot be recorded: broken syntax, wrong datatype, unknown term, inverted interval."""


class Unreadable(Fault):
    """A file cannot be read at all: missing, empty, not RDF, no permission."""


class ForeignGraph(Fault):
    """A file names a graph that belongs to another source or to the register itself."""


class BadQuestion(Fault):
    """A question is malformed: a day that is no day, a parameter of the wrong sort."""


class NotFound(Fault):
    """Nothing in the register answers to that name or IRI."""


class DataDirectory(Fault):
    """The data directory is missing, of another format, locked or inconsistent."""


class JournalBroken(Fault):
    """The journal does not verify: a hash, a number or a payload is not what it says."""


class StoreFault(Fault):
    """The store did not do what was asked: connection, half an answer, refused."""


class BadSetting(Fault):
    """A setting of the process is wrong: a port that is no number, a data directory that is a file."""


class ReasonerFault(Fault):
    """The ontology cannot be classified: the reasoner or its Java is not installed, or broke off."""


class Busy(StoreFault):
    """Too much is being asked at once; the same question may be answered in a moment."""


class Held(DataDirectory):
    """Another process holds the data directory."""


class Unanswered(StoreFault):
    """The process that was to make a change went away before it said whether it did."""


class ShapeFault(Fault):
    """A shape cannot be run as it stands; ``shape`` is its node, as text, and ``""`` where none is known."""

    def __init__(self, message: str, *, shape: str = "", remedy: str = "", place: Place | None = None) -> None:
        super().__init__(message, remedy=remedy, place=place)
        self.shape = shape


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell something that is no fault but that the reader should know."""

    message: str
    place: Place | None = None
    data: dict[str, str] = field(default_factory=dict)
