"""Measure the register at given sizes: ``python -m tests.benchmarks 10000 100000 [--json FILE] [--only who,load]``.

Ratios are taken within one run, calls in turn. Generated files and the register with history are kept under
``tests/benchmarks/.cache`` by size, seed and format, so a second run starts sooner; loading is measured anew each time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox
from rich.console import Console
from rich.table import Table

from graph.register import Register

from . import bench_check, bench_load, bench_plan, bench_portfolio, bench_search, bench_who
from .measuring import idle, memory
from .register import FORMAT, write

CACHE: Final = Path(__file__).parent / ".cache"
PARTS: Final = ("load", "who", "portfolio", "search", "plan", "check")


def prepared(size: int, seed: int, history: bool) -> Path:
    """Return the folder of a generated register, making file and truth where they are missing."""
    folder = CACHE / f"{FORMAT}-{size}-{seed}{'-history' if history else ''}"
    if not (folder / "truth.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "register.nq", size, seed, truth_file=folder / "truth.json", history=history)
    return folder


def loaded(folder: Path) -> Path:
    """Return the data directory that holds a prepared register with history, loading it where it is missing."""
    data, mark = folder / "register", folder / "loaded"
    if not mark.exists():
        shutil.rmtree(data, ignore_errors=True)
        bench_load.register(folder / "register.nq", data, history=True)
        mark.touch()
    return data


def measure_load(size: int, seed: int) -> dict[str, Any]:
    folder = prepared(size, seed, history=False)
    with tempfile.TemporaryDirectory(dir=CACHE) as into:
        return bench_load.measure(folder / "register.nq", Path(into))


def measure_who(size: int, seed: int) -> dict[str, Any]:
    with_history = Register.open(loaded(prepared(size, seed, history=True)))
    try:
        found = bench_who.measure(with_history.reader, size, history=True)
        return {"milliseconds": found, "memory": memory()}
    finally:
        with_history.close()


def measure_portfolio(size: int, seed: int) -> dict[str, Any]:
    return bench_portfolio.measure(loaded(prepared(size, seed, history=True)))


def measure_search(size: int, seed: int) -> dict[str, Any]:
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as into:
        return bench_search.measure(size, Path(into))


def measure_plan(size: int, seed: int) -> dict[str, Any]:
    return bench_plan.measure(loaded(prepared(size, seed, history=True)))


def measure_check(size: int, seed: int) -> dict[str, Any]:
    data = loaded(prepared(size, seed, history=True))
    with tempfile.TemporaryDirectory(dir=CACHE) as into:
        return bench_check.measure(data / "graph", size, Path(into))


MEASURES: Final[dict[str, Callable[[int, int], dict[str, Any]]]] = {
    "load": measure_load, "who": measure_who, "portfolio": measure_portfolio, "search": measure_search,
    "plan": measure_plan,
    "check": measure_check,
}  # fmt: skip


def machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(), "python": platform.python_version(), "pyoxigraph": ox.__version__,
        "load average at the start": idle(),
    }  # fmt: skip


# ---- tables ---------------------------------------------------------------------------------------------------------
def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def mega(count: float) -> str:
    return f"{count / 1_000_000:,.0f} MB"


def show(console: Console, results: dict[str, dict[str, Any]]) -> None:
    """Print one table per thing measured, a row per size."""
    loads = {size: found["load"] for size, found in results.items() if "load" in found}
    if loads:
        title = "load through the register, what is derived apart, beside bulk_load (memory: peak PSS)"
        console.print(table(title, LOAD_COLUMNS, [load_row(*item) for item in loads.items()]))
        console.print(
            table(
                "seconds of the load by phase, and disk by part",
                ("datasets", "phase or part", "seconds", "cpu", "on disk"),
                [row for item in loads.items() for row in part_rows(*item)],
            )
        )
    asked = {size: found["who"] for size, found in results.items() if "who" in found}
    if asked:
        console.print(
            table(
                "who, by IRI, in process (ms)",
                ("datasets", "question", "p50", "p95", "worst", "cpu p50", "p50 to bare", "cpu to bare"),
                [
                    (size, name, *(taken[key] for key in ("p50", "p95", "worst", "cpu", "ratio", "cpu ratio")))
                    for size, found in asked.items()
                    for name, taken in found["milliseconds"].items()
                ],
            )
        )  # fmt: skip
    planned = {size: found["plan"] for size, found in results.items() if "plan" in found}
    if planned:
        console.print(
            table(
                "the preview of a plan, and who meanwhile",
                ("datasets", "changes", "draft s", "preview s", "peak PSS", "reached", "moves", "findings",
                 "who p95 idle", "who p95 meanwhile", "ratio"),
                [
                    (size, taken["changes"], taken["seconds"]["draft"], taken["seconds"]["preview"],
                     mega(taken["peak_pss"]), taken["reached"], taken["moves"], taken["findings"],
                     taken["who idle"]["p95"], taken["who meanwhile"]["p95"], taken["ratio of p95"])
                    for size, taken in planned.items()
                ],
            )
        )  # fmt: skip
    owned = {size: found["portfolio"] for size, found in results.items() if "portfolio" in found}
    if owned:
        console.print(
            table(
                "a body's datasets, its units included (ms)",
                ("datasets", "body", "rows", "list p50", "first page p50"),
                [portfolio_row(size, body, taken) for size, found in owned.items() for body, taken in found.items()],
            )
        )  # fmt: skip
    searched = {size: found["search"] for size, found in results.items() if "search" in found}
    if searched:
        console.print(
            table(
                "search (ms)", ("datasets", "group", "p50", "p95", "worst", "FTS5 p95"),
                [
                    (size, group, ways["diaba"]["p50"], ways["diaba"]["p95"], ways["diaba"]["worst"],
                     ways["fts5"]["p95"])
                    for size, found in searched.items()
                    for group, ways in found["milliseconds"].items()
                ],
            )
        )  # fmt: skip


    checked = {size: found["check"] for size, found in results.items() if "check" in found}
    if checked:
        title = "the whole register checked (pySHACL without, shifty with loading; memory: peak PSS)"
        columns = ("datasets", "shapes and engine", "seconds", "cpu", "results", "memory")
        console.print(table(title, columns, [row for item in checked.items() for row in check_rows(*item)]))
        columns = ("datasets", "change", "p50", "p95", "worst", "cpu p50", "nodes", "per node p50")
        rows = [
            (size, name, *(taken[key] for key in ("p50", "p95", "worst", "cpu", "nodes")), taken["per node"]["p50"])
            for size, found in checked.items() for name, taken in found["again"].items() if isinstance(taken, dict)
        ]  # fmt: skip
        console.print(table("found again after a change, by all rules (ms)", columns, rows))


def check_rows(size: str, found: dict[str, Any]) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for name, taken in found.items():
        if name != "again":
            figures = ("did not end", "", "", "")
            if taken is not None:
                figures = (taken["seconds"], taken["cpu"], f"{taken['results']:,}", mega(taken["peak_pss"]))
            rows.append((size, name, *figures))
    return rows


#: what is derived once per load and has figures of its own
APART: Final = ("standings", "findings")
LOAD_COLUMNS: Final = (
    "datasets", "quads", "bare s", "cpu", "register s", "cpu", "ratio", "cpu ratio", "standings s", "cpu",
    "findings s", "cpu", "bare memory", "memory",
)  # fmt: skip


def load_row(size: str, found: dict[str, Any]) -> tuple[object, ...]:
    """Compare a load through the register, but what is derived, with the bare one; a ratio of 1 is as fast as bare."""
    plain, ours = found["bare"], found["register"]
    (bulk,) = plain["phases"].values()
    derived = [ours["phases"].get(phase, {"seconds": 0.0, "cpu": 0.0}) for phase in APART]
    seconds, cpu = (
        sum(taken[clock] for phase, taken in ours["phases"].items() if phase not in APART)
        for clock in ("seconds", "cpu")
    )
    return (
        size, f"{plain['quads']:,}", bulk["seconds"], bulk["cpu"], round(seconds, 1), round(cpu, 1),
        round(bulk["seconds"] / seconds, 2), round(bulk["cpu"] / cpu, 2),
        *(taken[clock] for taken in derived for clock in ("seconds", "cpu")),
        mega(plain["peak_pss"]), mega(ours["peak_pss"]),
    )  # fmt: skip


def part_rows(size: str, found: dict[str, Any]) -> list[tuple[object, ...]]:
    ours = found["register"]
    phases = [(size, phase, taken["seconds"], taken["cpu"], "") for phase, taken in ours["phases"].items()]
    parts = [(size, part, "", "", mega(count)) for part, count in ours["bytes"].items() if count > 100_000]
    return [*phases, *parts, (size, "bare store", "", "", mega(found["bare"]["bytes"]))]


def portfolio_row(size: str, body: str, taken: dict[str, Any] | None) -> tuple[object, ...]:
    if taken is None:
        return size, body, "", f"> {bench_portfolio.PATIENCE:.0f} s", ""
    return size, body, f"{taken['rows']:,}", taken["list"]["p50"], taken["first page"]["p50"]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000], help="numbers of datasets")
    parser.add_argument("--seed", type=int, default=1, help="seed of the generated register")
    parser.add_argument("--json", type=Path, help="also write everything that was measured to this file")
    parser.add_argument("--only", default=",".join(PARTS), help="which parts, by comma: " + ", ".join(PARTS))
    options = parser.parse_args(arguments)
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}: choose from {', '.join(PARTS)}")
    # piped into a file, tables keep their width
    console = Console() if sys.stdout.isatty() else Console(width=140)
    about = machine()
    results: dict[str, dict[str, Any]] = {}
    for size in options.sizes:
        results[str(size)] = {}
        for part in parts:
            console.print(f"{size:,} datasets: {part} …", style="dim")
            results[str(size)][part] = MEASURES[part](size, options.seed)
            if options.json is not None:
                kept = {"machine": about, "results": results}
                options.json.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(", ".join(f"{name} {value}" for name, value in about.items()))
    show(console, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
