"""Find the data folders that travel with the code: ontology, shapes, queries, and the examples of the rules.

In a checkout they stand at its top, where people look for them (the examples among the tests, which judge them); in an
installed wheel they lie inside this package under ``data``. Nobody else needs to know which of the two it is.
"""

from __future__ import annotations

from pathlib import Path

from graph.errors import Unreadable

FOLDERS = {"ontology": "ontology", "queries": "queries", "shapes": "shapes", "examples": "tests/examples"}

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """Return the folder ``name`` as an absolute path.

    The wheel's copy goes first: a checkout never has ``graph/data``. Raises ``Unreadable`` for a name that is none of
    ``FOLDERS``, and when the folder is not there, as after a partial copy of the code.
    """
    if name not in FOLDERS:
        raise Unreadable(
            f"There is no data folder named {name}",
            remedy=f"Ask for one of {', '.join(FOLDERS)}.",
        )
    for candidate in (_PACKAGE / "data" / name, _PACKAGE.parent / FOLDERS[name]):
        if candidate.is_dir():
            return candidate
    raise Unreadable(
        f"The data folder {name} is missing beside the code in {_PACKAGE.parent}",
        remedy="Install the package again, or check the folder out.",
    )
