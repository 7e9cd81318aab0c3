"""Generate a register of any size in the words of the model, as N-Quads, with a file of what is true in it.

    python -m tests.benchmarks.register --datasets 10000 --seed 1 --out FILE [--truth FILE] [--history] [--dense]

The same arguments give the same bytes. Memory stays flat, because every dataset is planned from the seed and its number
alone. Load the file as source ``https://w3id.org/diaba/bench/register`` (its graphs stand under that IRI).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .datasets import Plans
from .statements import Writer
from .truth import Truth
from .world import NS, World

#: raise it when the bytes or the truth of a given seed change, so that prepared data are made anew
FORMAT: Final = 2

SOURCE: Final = NS + "register"


def generate(
    datasets: int, seed: int, *, history: bool = False, dense: bool = False, truth: Truth | None = None
) -> Iterator[str]:
    """Yield the register in pieces of some hundred lines; ``truth``, where given, is filled on the way."""
    world = World(datasets, seed, dense)
    plans = Plans(world, history)
    writer = Writer(world, plans, history)
    if truth is not None:
        truth.start(world, plans)
    piece: list[str] = []
    for lines in writer.ground():
        piece.append(lines)
        if len(piece) >= 500:
            yield "".join(piece)
            piece.clear()
    for index in range(datasets):
        plan = plans.dataset(index)
        piece.append(writer.block(index))
        piece.append(writer.dataset(plan))
        if truth is not None:
            truth.add(plan)
        if len(piece) >= 100:
            yield "".join(piece)
            piece.clear()
    yield "".join(piece)


def write(
    out: Path, datasets: int, seed: int, *, truth_file: Path | None = None, history: bool = False, dense: bool = False
) -> int:
    """Write the register, and its truth where asked; return the number of quads."""
    truth = Truth(datasets) if truth_file else None
    quads = 0
    with out.open("w", encoding="utf-8", newline="\n", buffering=1 << 20) as file:
        for piece in generate(datasets, seed, history=history, dense=dense, truth=truth):
            file.write(piece)
            quads += piece.count("\n")
    if truth is not None and truth_file is not None:
        facts = {
            "format": FORMAT, "datasets": datasets, "seed": seed, "history": history, "dense": dense, "quads": quads,
            "source": SOURCE, **truth.as_json(),
        }  # fmt: skip
        truth_file.write_text(json.dumps(facts, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return quads


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.register", description=__doc__.split("\n")[0])
    parser.add_argument("--datasets", type=int, required=True, help="how many datasets")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes")
    parser.add_argument("--out", type=Path, required=True, help="the N-Quads file to write")
    parser.add_argument("--truth", type=Path, help="also write a JSON file of faults and expected answers")
    parser.add_argument("--history", action="store_true", help="give every record its instant, and some a past version")
    parser.add_argument("--dense", action="store_true", help="give every commune nine explicit scopes")
    options = parser.parse_args(arguments)
    if options.datasets < 1:
        parser.error("--datasets must be at least 1")
    begun = time.perf_counter()
    quads = write(
        options.out, options.datasets, options.seed, truth_file=options.truth, history=options.history,
        dense=options.dense,
    )  # fmt: skip
    seconds = time.perf_counter() - begun
    print(
        f"{quads:,} quads, {quads / options.datasets:.1f} per dataset, {seconds:.1f} s, {quads / seconds:,.0f} quads/s",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
