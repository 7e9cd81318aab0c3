"""Freeze a small data directory as the code of some day makes it, to be opened by every later version.

Run it on the code whose format is to be kept, before that format changes (``service/docs/keeping.md``):

    python -m tests.upgrades.freeze

It writes ``tests/upgrades/frozen/<directory format>-<journal format>.tar.gz``: the directory, and beside it
``expected.json`` with what it held and answered. A frozen file is never made again.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from graph import archive, journal
from graph.answering import who
from graph.register import Register

FROZEN = Path(__file__).parent / "frozen"
X = "https://example.org/"
SOURCE = X + "wells-register"

BODIES = f"""
@prefix d: <https://w3id.org/diaba/ns#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> . @prefix x: <{X}> .
x:moc a d:Agency ; skos:prefLabel "Ministry of Construction"@en .
x:mae a d:Agency ; skos:prefLabel "Bộ Nông nghiệp"@vi .
"""

RECORD = """
@prefix d: <https://w3id.org/diaba/ns#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> . @prefix x: <%s> . @prefix role: <https://w3id.org/diaba/role/> .
x:wells a dcat:Dataset ; dct:title "Giếng khoan"@vi .
x:on-wells a d:Responsibility ; d:holder x:%s ; d:role role:accountable ; d:covers x:wells .
"""


def make(data: Path) -> dict[str, Any]:
    """Make the directory: bodies, a record that changes, a payload in a file, a redaction; return what to expect."""
    home = data.parent

    def load(register: Register, text: str, source: str, **options: Any) -> None:
        file = home / "stated.ttl"
        file.write_text(text, "utf-8")
        register.load(file, source, "V1", **options)

    with Register.create(data, pack=None) as register:
        load(register, BODIES, X + "bodies", who="clerk")
        load(register, RECORD % (X, "moc"), SOURCE, who="clerk")
        in_row, journal.MAX_IN_ROW = journal.MAX_IN_ROW, 0
        try:
            load(register, RECORD % (X, "mae"), SOURCE, who="clerk", message="The duty moved")
        finally:
            journal.MAX_IN_ROW = in_row
        load(register, f'<{X}person> <{X}phone> "0900" .', X + "mistake", who="clerk")
        load(register, f'<{X}person> <{X}phone> "unlisted" .', X + "mistake", who="clerk")
        archive.redact(register, [5, 6], "clerk", "personal data")
        changes = list(register.journal.changes())
        moved = journal.read_instant(changes[3].at)
        card = who(register.reader, X + "wells")
        before = who(register.reader, X + "wells", known_at=journal.read_instant(changes[2].at))
        return {
            "revision": register.revision,
            "hash": changes[-1].hash,
            "moved": moved.isoformat(),
            "holders": list(card.accountable.holders),
            "holders_before": list(before.accountable.holders),
            "graph": _statements(register.reader.graph),
            "history": _statements(register.reader.history),
        }


def _statements(reader: Any) -> list[str]:
    """Return what sources say of the things of the example; what is derived may be derived otherwise one day."""
    rows = reader.query(f"SELECT ?s ?p ?o ?g {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?g), '{X}')) }}")
    return sorted(" ".join(map(str, row)) for row in rows)


def formats(data: Path) -> tuple[int, int]:
    """Return the formats of a data directory and of its journal."""
    with closing(sqlite3.connect(data / "journal.sqlite")) as rows:
        (number,) = rows.execute("PRAGMA user_version").fetchone()
    return int(json.loads((data / "register.json").read_text("utf-8"))["format"]), int(number)


def freeze(target: Path | None = None) -> Path:
    """Make the directory and pack it; refuse to replace what is frozen."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        expected = make(data)
        (Path(folder) / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1), "utf-8")
        found = target or FROZEN / "{}-{}.tar.gz".format(*formats(data))
        if found.exists():
            raise SystemExit(f"{found} is frozen already")
        found.parent.mkdir(exist_ok=True)
        with tarfile.open(found, "w:gz") as packed:
            packed.add(data, "data", filter=_plain)
            packed.add(Path(folder) / "expected.json", "expected.json", filter=_plain)
    return found


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leave out locks, logs, and who made the file."""
    if "/LOG" in entry.name or entry.name.endswith(("/lock", ".lock")):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


if __name__ == "__main__":
    print(freeze(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
