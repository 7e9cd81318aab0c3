"""Preview a plan of many changes over a large register, and ask who answers meanwhile.

Pairs of communes merge with their committees, others get another name or code: as many unit changes as asked for. The
preview runs in a process of its own, on a copy, as ``diaba plan check`` does; ``who`` is timed before and during it.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any, Final

from graph.answering import Desk
from graph.bodies import bodies
from graph.findings import Findings
from graph.journal import write_instant
from graph.plans.drafting import draft
from graph.plans.foreseeing import copy_of, foresee
from graph.plans.reading import read_plan
from graph.register import Register
from graph.rules import read_rules
from graph.store import OxigraphStore, Reader
from graph.terms import DCAT, D, Level

from .measuring import apart, spread
from .world import NS

CHANGES: Final = 10_000
DAY: Final = "2027-01-01"


def plan_of(reader: Reader, changes: int) -> dict[str, Any]:
    """Return a plan of so many changes over the communes of a generated register and their committees."""
    return {
        "plan": "many", "title": "Many changes", "effective": DAY, "basis": [{"number": "1/2026"}],
        "changes": [change for change, _ in zip(_changes(reader), range(changes), strict=False)],
    }  # fmt: skip


def _changes(reader: Reader) -> Iterator[dict[str, Any]]:
    eve = datetime.fromisoformat(DAY).date()
    kinds = {value.value for _, _, value, _ in reader.outgoing(_committees(reader), (D.bodyKind,))}
    committees = [body for body in bodies(reader, kinds, eve) if body.jurisdiction]
    communes = [body for body in committees if _level(reader, body.jurisdiction[0]) == Level.commune]
    pairs = list(zip(communes[::2], communes[1::2], strict=False))
    for one, other in pairs:
        yield {"absorption": {"of": [one.jurisdiction[0]], "into": other.jurisdiction[0]}}
        yield {"absorption": {"of": [one.iri], "into": other.iri}}
        yield {"rename": {"of": other.jurisdiction[0], "name": f"{other.label} mới"}}
        yield {"rename": {"of": other.iri, "name": f"UBND {other.label} mới"}}
    for number, body in enumerate(committees):
        if body not in communes:
            yield {"rename": {"of": body.iri, "name": f"{body.label} {number}"}}
    fields = sorted({value.value for _, _, value, _ in reader.outgoing(_datasets(reader), (DCAT.theme,))})
    for number in range(10 * CHANGES):
        giver, taker = pairs[number % len(pairs)][1], pairs[(number + 1) % len(pairs)][1]
        yield {"transfer": {"from": giver.iri, "to": taker.iri, "fields": [fields[number // len(pairs) % len(fields)]]}}


def _datasets(reader: Reader) -> list[str]:
    return [f"{NS}dataset/{number}" for number in range(2000)]


def _committees(reader: Reader) -> list[str]:
    return sorted({subject.value for subject, _, _, _ in reader.incoming([Level.commune], (D.level,))} | {
        subject.value for subject, _, _, _ in reader.incoming(_areas(reader), (D.jurisdiction,))
    })  # fmt: skip


def _areas(reader: Reader) -> list[str]:
    return sorted({subject.value for subject, _, _, _ in reader.incoming([Level.commune], (D.level,))})


def _level(reader: Reader, area: str) -> str:
    return next((value.value for _, _, value, _ in reader.outgoing([area], (D.level,))), "")


def measure(data: Path, changes: int = CHANGES) -> dict[str, Any]:
    """Return seconds and peak memory of the preview, what it found, and who's p95 in ms before and during it."""
    with Register.open(data) as register:
        reader = register.reader.graph
        file = data.parent / "plan.json"
        file.write_text(json.dumps(plan_of(reader, changes)), encoding="utf-8")
        copy = data.parent / "plan-checkpoint"
        reader.raw.backup(str(copy))  # type: ignore[attr-defined]
        desk = Desk(register.reader)
        found: dict[str, Any] = {}
        try:
            idle = _ask(desk, lambda: False, 300)
            work = Thread(target=lambda: found.update(apart(
                "tests.benchmarks.bench_plan", {"checkpoint": str(copy), "plan": str(file)}
            )))  # fmt: skip
            work.start()
            meanwhile = _ask(desk, lambda: not work.is_alive(), 1_000_000)
            work.join()
        finally:
            shutil.rmtree(copy, ignore_errors=True)
    slower = round(meanwhile["p95"] / idle["p95"], 2)
    return {**found, "who idle": idle, "who meanwhile": meanwhile, "ratio of p95": slower}


def _ask(desk: Desk, over: Any, most: int) -> dict[str, Any]:
    taken: list[float] = []
    for number in range(most):
        if over():
            break
        begun = time.perf_counter()
        desk.who(f"{NS}dataset/{number * 7919 % 10_000}")
        taken.append(time.perf_counter() - begun)
        time.sleep(0.005)
    return spread(taken).as_json()


def main(text: str) -> None:
    """Preview in a process of its own, without the register's lock: on the checkpoint."""
    arguments = json.loads(text)
    begun = time.perf_counter()
    checkpoint = Path(arguments["checkpoint"])
    before = OxigraphStore(checkpoint, read_only=True)
    drafted = draft(read_plan(Path(arguments["plan"])), before)
    scratch = OxigraphStore(copy_of(checkpoint, checkpoint.parent / "plan-scratch"))
    seconds = {"draft": round(time.perf_counter() - begun, 1)}
    try:
        seen = foresee(before, scratch, drafted, Findings(read_rules(None)), write_instant(datetime.now(UTC)))
    finally:
        scratch.close()
        shutil.rmtree(checkpoint.parent / "plan-scratch", ignore_errors=True)
    seconds["preview"] = round(time.perf_counter() - begun, 1)
    changes = len(json.loads(Path(arguments["plan"]).read_text(encoding="utf-8"))["changes"])
    print(json.dumps({
        "seconds": seconds, "changes": changes, "reached": seen.reached, "moves": len(seen.moves),
        "findings": len(seen.findings), "tell": len(seen.tell),
    }))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
