"""Measure the search as people type, beside SQLite FTS5 on the same folded titles in the same run.

``python -m tests.benchmarks.bench_search 100000 1000000`` builds both from generated Vietnamese titles and prints one
JSON object per size. FTS5 is asked the plain question only (all words, the last one begun, best ten by its own
rank): no days, no kinds, no short forms, no slips.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

from graph.resources import folder
from graph.search import Document, Naming, SearchIndex, read_abbreviations
from graph.terms import Level
from graph.words import fold

from . import words
from .measuring import folder_sizes, in_turn, memory

DAY: Final = date(2026, 11, 23)
LEVELS: Final = (Level.central, Level.province, Level.commune, "")
#: words that stand in very many titles, to be combined
COMMON: Final = ("dữ liệu", "danh sách", "co so du lieu", "CSDL", "hồ sơ", "bao cao", "tp", "tỉnh", "xã")
COMMON_NEXT: Final = ("đất", "xã hội", "theo quy", "an", "tỉnh", "hang nam", "so", "phuong", "dữ", "nam")
#: questions per group; each group is reported apart
QUESTIONS: Final = 40


def documents(count: int, seed: int = 1) -> Iterator[Document]:
    """Yield datasets with generated titles, and for every fifty of them a body with an old and a new name."""
    chance = random.Random(seed)
    for number in range(count):
        place = f"{chance.choice(words.FIRST)} {chance.choice(words.SECOND)}"
        unit = chance.choice(("tỉnh", "TP", "xã", "phường"))
        title = " ".join(
            (chance.choice(words.OPENINGS), chance.choice(words.THINGS), unit, place + chance.choice(words.ENDINGS))
        )
        field = chance.randrange(len(words.FIELDS))
        namings = (Naming(title, "vi"), Naming(f"DS-{number:07}", "", "code"))
        context = (words.FIELDS[field], words.FIELDS_EN[field], place)
        yield Document(f"urn:dataset:{number}", "dataset", namings, context, level=LEVELS[number % 4])
        if number % 50 == 0:
            changed = date(2025, 3, 1)
            old = Naming(f"Sở {chance.choice(words.DEPARTMENTS)} {place}", "vi", "name", None, changed)
            new = Naming(f"Sở {chance.choice(words.BUREAUS)} và Môi trường {place}", "vi", "name", changed)
            yield Document(f"urn:body:{number}", "body", (new, old), level=Level.province)


def questions(seed: int = 2) -> dict[str, list[str]]:
    """Return the questions, by group."""
    chance = random.Random(seed)
    titles = [next(document.namings[0].text for document in documents(1, seed=number)) for number in range(100, 160)]
    return {
        "one letter": list("cdbhtsnkđg"),
        "as you type": [title[: chance.randint(2, len(title))] for title in titles[:QUESTIONS]],
        "as you type, no accents": [fold(title)[: chance.randint(2, 30)] for title in titles[:QUESTIONS]],
        "common words": [
            f"{chance.choice(COMMON)} {chance.choice(COMMON_NEXT)}" for _ in range(QUESTIONS)
        ],
        "whole titles": titles[:QUESTIONS],
        "slips": [_slip(fold(title), chance) for title in titles[:QUESTIONS]],
        "codes": [f"DS-{chance.randrange(9000):07}" for _ in range(QUESTIONS)],
        "sentences": [f"ai chịu trách nhiệm về {title}" for title in titles[:QUESTIONS]],
    }


def _slip(text: str, chance: random.Random) -> str:
    parts = text.split()
    place = max(range(len(parts)), key=lambda number: len(parts[number]))
    cut = chance.randrange(len(parts[place]))
    parts[place] = parts[place][:cut] + parts[place][cut + 1 :]
    return " ".join(parts)


def measure(count: int, path: Path) -> dict[str, Any]:
    """Build both, ask both, and return what it took: seconds, bytes, milliseconds."""
    begun = time.perf_counter()
    made = list(documents(count))
    generated = time.perf_counter()
    index = SearchIndex(path / "index", read_abbreviations(folder("ontology") / "vn" / "abbreviations.csv"))
    index.rebuild(made, 1)
    built = time.perf_counter()
    table = sqlite3.connect(path / "titles.db")
    table.execute("CREATE VIRTUAL TABLE title USING fts5(text, tokenize='unicode61', prefix='1 2 3', detail=full)")
    table.executemany("INSERT INTO title VALUES (?)", ((fold(one.namings[0].text),) for one in made))
    table.execute("INSERT INTO title(title) VALUES ('optimize')")
    table.commit()
    compared = time.perf_counter()
    changed = []
    for number in range(20):
        update = time.perf_counter()
        index.update([made[number]], [made[number].iri], 2 + number)
        changed.append(time.perf_counter() - update)
    del made

    def ours(text: str) -> object:
        return index.search(text, as_of=DAY)

    def fts5(text: str) -> object:
        parts = fold(text).split()
        match = " ".join(f'"{part}"' for part in parts) + "*"
        return table.execute("SELECT rowid FROM title WHERE title MATCH ? ORDER BY rank LIMIT 10", (match,)).fetchall()

    asked = {
        name: {call: taken.as_json() for call, taken in in_turn({"diaba": ours, "fts5": fts5}, group).items()}
        for name, group in questions().items()
    }
    index.close()
    table.close()
    return {
        "datasets": count,
        "names": len(index),
        "seconds": {
            "generate": round(generated - begun, 1),
            "diaba build": round(built - generated, 1),
            "fts5 build": round(compared - built, 1),
            "diaba one change, worst of 20": round(max(changed), 3),
        },
        "bytes": folder_sizes(path),
        "memory": memory(),
        "milliseconds": asked,
    }


def main(sizes: list[int]) -> None:
    """Measure each size in a folder of its own and print it."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as path:
            print(json.dumps(measure(size, Path(path)), indent=1), flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100_000])
