"""Bring a data directory of an earlier format up to this one, one step after the other.

A step works on the directory while nobody else holds it, and may be cut short anywhere: ``register.json`` names the
next format only when the step is done, and a step that was cut short is done again from its beginning. What a step has
done is never undone. The journal's database has steps of its own (``graph.journal``), each one transaction, and the
projections need none: what cannot be read is made anew from the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from graph.directory import FORMAT, PASSPORT, said_in, write_passport
from graph.errors import DataDirectory, Place


@dataclass(frozen=True, slots=True)
class Step:
    """Lead from one format to the next.

    ``what`` says in one sentence what is different; ``take`` gets the directory and what its passport says, changes
    whatever else must change, and returns what the passport says then. It must come to the same when it is repeated,
    wherever it broke off.
    """

    what: str
    take: Callable[[Path, dict[str, Any]], dict[str, Any]]


STEPS: Final[tuple[Step, ...]] = (
    Step("register.json says which store holds the graph", lambda _, said: {**said, "store": "", "making": ""}),
)
"""The steps in their order: the first leads from format 1 to 2. One that is released is never altered."""


def upgrade(data: Path) -> list[Step]:
    """Take the steps that are missing, and return them; for whoever holds the lock of the directory.

    Raises ``DataDirectory`` where the format is later than this code knows, or where a step broke off: then the
    directory is of the format before that step, and opening it again takes up from there.
    """
    said = said_in(data)
    taken = []
    for number in range(int(said["format"]), FORMAT):
        step = STEPS[number - 1]
        try:
            said = {**step.take(data, said), "format": number + 1}
            write_passport(data, said)
        except OSError as fault:
            raise DataDirectory(
                f"The data directory could not be brought from format {number} to {number + 1}: "
                f"{fault.strerror or fault}",
                remedy="Look for a full or failing disk, then open it again: it takes up where it broke off.",
                place=Place(str(data / PASSPORT)),
            ) from fault
        taken.append(step)
    return taken
