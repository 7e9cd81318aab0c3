"""Ask which datasets a body answers for, its units included: the canned query on the standings.

Small bodies and large, from a commune's committee to the whole government. The list and its first fifty rows are timed,
each body in a process of its own: the store has no timeout, so the process is stopped when it takes too long.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

from graph.queries import load_queries, run
from graph.register import Register
from graph.resources import folder

from .measuring import apart, spread
from .truth import LATE
from .world import NS

BODIES: Final = {
    "commune": "committee-commune-7",
    "department": "department-province-0-1",
    "ministry with bureaus": "ministry-3",
    "province with departments and communes": "committee-province-1",
    "government with everything": "government",
}
PATIENCE: Final = 60.0
"""Seconds after which a body is given up, and those larger than it with it."""


def measure(data: Path) -> dict[str, Any]:
    """Return rows, and milliseconds for the list and its first page, by body; ``None`` for one that was given up."""
    found: dict[str, Any] = dict.fromkeys(BODIES)
    for name in BODIES:
        try:
            found[name] = apart(
                "tests.benchmarks.bench_portfolio", {"data": str(data), "body": name}, patience=PATIENCE
            )
        except TimeoutError:
            break
    return found


def main(text: str) -> None:
    arguments = json.loads(text)
    register = Register.open(Path(arguments["data"]))
    query = load_queries([folder("queries")])["datasets-of-agency"]
    values = {"agency": NS + "body/" + BODIES[arguments["body"]], "day": LATE, "language": "vi"}
    taken: dict[str, list[float]] = {"list": [], "first page": []}
    rows, since = 0, time.perf_counter()
    while len(taken["list"]) < 5 and time.perf_counter() - since < 10:
        for name, limit in (("list", None), ("first page", 50)):
            begun = time.perf_counter()
            rows = max(rows, len(run(register.reader.graph, query, values, limit=limit).rows))
            taken[name].append(time.perf_counter() - begun)
    register.close()
    print(json.dumps({"rows": rows, **{name: spread(seconds).as_json() for name, seconds in taken.items()}}))


if __name__ == "__main__":
    main(sys.argv[1])
