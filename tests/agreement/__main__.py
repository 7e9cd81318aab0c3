"""Hold our check against pySHACL's, whole: every example file, the Vietnam example, generated registers, random shapes.

    python -m tests.agreement [SIZE …] [--seeds N] [--seconds S]

What differs is printed and ends with status 1. pySHACL judges each rule by itself for at most S seconds; a rule that it
does not end is compared on as many sampled focus nodes as it manages in as long, and said so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from random import Random

import pyoxigraph as ox

from graph.checking import Checker
from graph.rules import read_rules
from graph.shacl.shapes import Shapes
from graph.shacl.written import WrittenStore
from graph.store import OxigraphStore

from .random_shapes import compared
from .second import Second, TooLong, ours, reading_once, row, theirs, told
from .subjects import examples, generated, vietnam
from .truths import RULES, differing

#: sizes up to which the whole register is compared; larger ones by sampled focus nodes
WHOLE = 1000
SAMPLED = 500
DAYS = (date(2025, 2, 28), date(2026, 11, 1))


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.agreement", description=__doc__.split("\n")[0])
    parser.add_argument("sizes", type=int, nargs="*", default=[1000, 10000], help="datasets of generated registers")
    parser.add_argument("--seeds", type=int, default=2000, help="how many random graphs with random shapes")
    parser.add_argument("--seconds", type=float, default=60, help="how long pySHACL may take for one rule")
    chosen = parser.parse_args(arguments)
    differences = 0
    rules = read_rules("vn")
    checker = Checker(rules.shapes)
    with reading_once():
        differences += _random(chosen.seeds)
        differences += _examples(checker, rules.shapes)
        for day in DAYS:
            store = vietnam()
            differences += _store("the Vietnam example", store, checker, rules.shapes, day, chosen.seconds)
        for size in chosen.sizes:
            with tempfile.TemporaryDirectory() as workshop:
                store, truth = generated(Path(workshop), size)
            wrong = differing(store, checker, truth)
            print(f"{size} generated datasets: {len(wrong)} of {len(RULES)} faults differ from the truth")
            for fault, things in wrong.items():
                print(f"  {fault}: {', '.join(sorted(things)[:5])}")
            differences += len(wrong)
            sample = SAMPLED if size > WHOLE else None
            name = f"{size} generated datasets"
            differences += _store(name, store, checker, rules.shapes, DAYS[1], chosen.seconds, sample)
    print("no difference" if not differences else f"{differences} differences")
    return int(bool(differences))


def _random(seeds: int) -> int:
    differing = 0
    for seed in range(seeds):
        difference = compared(seed)
        if difference:
            differing += 1
            print(f"random {seed}\n{difference}")
    print(f"{seeds} random graphs with random shapes: {differing} differ", flush=True)
    return differing


def _examples(checker: Checker, shapes: Shapes) -> int:
    differing, number, mine, other = 0, 0, 0.0, 0.0
    for example in examples():
        begun = time.perf_counter()
        found = ours(checker, WrittenStore(example.quads), example.day)
        middle = time.perf_counter()
        differing += _differ(example.name, found, theirs(example.quads, shapes, example.day))
        mine, other = mine + middle - begun, other + time.perf_counter() - middle
        number += 1
    print(f"{number} example files: {differing} differ; ours {mine:.1f} s, pySHACL {other:.1f} s", flush=True)
    return differing


def _differ(name: str, found: set, expected: set) -> int:  # type: ignore[type-arg]
    if found == expected:
        return 0
    print(
        f"{name} differs\n only ours:\n{told(found - expected)}\n only pySHACL:\n{told(expected - found)}", flush=True
    )
    return 1


def _store(
    name: str,
    store: OxigraphStore,
    checker: Checker,
    shapes: Shapes,
    day: date,
    seconds: float,
    sample: int | None = None,
) -> int:
    """Compare root by root; ``sample`` bounds the focus nodes, drawn from those found faulty and from all others."""
    quads = {quad.triple for quad in store.raw}
    second = Second((ox.Quad(*triple) for triple in quads), shapes, day)
    differing, ended, rows, mine, other = 0, 0, 0, 0.0, 0.0
    given_up: list[str] = []
    for root in checker.roots:
        begun = time.perf_counter()
        found = {row(result) for result in checker.check(store, day, roots=[root])}
        mine += time.perf_counter() - begun
        rows += len(found)
        begun = time.perf_counter()
        nodes = None if sample is None else _drawn(store, checker, root, found, sample)
        try:
            expected = second.judge(root, seconds, nodes)
        except TooLong:
            nodes = _drawn(store, checker, root, found, 25)
            try:
                expected = second.judge(root, seconds, nodes)
                given_up.append(f"{root} ({len(nodes)} nodes)")
            except TooLong:
                given_up.append(f"{root} (not compared)")
                continue
        if nodes is not None:
            found = {one for one in found if getattr(one[0], "value", None) in nodes}
        other += time.perf_counter() - begun
        ended += 1
        differing += _differ(f"{name}, {day}, {root}", found, expected)
    print(
        f"{name}, {len(quads)} statements, {day}: {ended} of {len(checker.roots)} shapes compared, {rows} results, "
        f"{differing} differ; ours {mine:.1f} s, pySHACL {other:.1f} s"
    )
    for one in given_up:
        print(f"  not ended by pySHACL: {one}")
    sys.stdout.flush()
    return differing


def _drawn(store: OxigraphStore, checker: Checker, root: object, found: Iterable, sample: int) -> list[str]:  # type: ignore[type-arg]
    """Draw focus nodes of a root: half of them among the faulty ones."""
    focus = checker.focus_nodes(store, root)  # type: ignore[arg-type]
    named = sorted(node.value for node in focus if isinstance(node, ox.NamedNode))
    faulty = sorted({one[0].value for one in found if isinstance(one[0], ox.NamedNode)})
    random = Random(1)
    chosen = set(random.sample(faulty, min(sample // 2, len(faulty))))
    rest = [node for node in named if node not in chosen]
    return sorted(chosen | set(random.sample(rest, min(sample - len(chosen), len(rest)))))


if __name__ == "__main__":
    sys.exit(main())
