"""Hold what rules find in a generated register to the faults that were put into it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pyoxigraph as ox

from graph.checking import Checker
from graph.store import Reader
from graph.terms import D, Role
from tests.benchmarks.world import NS

#: fault of the generator → the rule that finds it, and how a record that it finds leads to the dataset
RULES = {
    "no-accountable": ("no-accountable", ""),
    "no-claim": ("no-claim", ""),
    "more-than-one-accountable": ("more-than-one-accountable", ""),
    "succession-undecided": ("succession-undecided", ""),
    "post-without-contact": ("post-without-contact", ""),
    "lineage-cycle": ("lineage-cycle", ""),
    "basis-missing": ("responsibility-without-basis", f"?x <{D.role}> <{Role.accountable}> ; <{D.covers}> ?dataset"),
    "basis-not-in-force": ("basis-not-in-force-at-start", f"?x <{D.covers}> ?dataset"),
    "mandate-without-end": ("mandate-without-end", f"?x <{D.creates}>/<{D.covers}> ?dataset"),
    "mandate-passed-on": ("mandate-passed-on", f"?x <{D.creates}>/<{D.covers}> ?dataset"),
    "delegation-passed-on": ("delegation-passed-on", f"?x <{D.creates}>/<{D.covers}> ?dataset"),
    "transfer-cycle": ("transfer-cycle", f"?x <{D.creates}>/<{D.covers}> ?dataset"),
}
#: faults that rules find on the days of a record only: how what has the fault leads to such records
ON_DAYS = {
    "post-without-contact": f"?record <{D.holder}> ?thing",
    "basis-missing": f"?record <{D.covers}> ?thing ; <{D.role}> <{Role.accountable}> "
    f"OPTIONAL {{ ?record <{D.basis}> ?law }} FILTER(!BOUND(?law))",
}
#: faults of the generator that no rule of ours is about
NO_RULE = {"title-missing"}


def differing(store: Reader, checker: Checker, truth: dict[str, Any]) -> dict[str, set[str]]:
    """Return by fault the datasets (or posts) on which the rules and the truth differ on the later day."""
    day = date.fromisoformat(truth["days"][1])
    roots = {root.value.rpartition("#")[2]: root for root in checker.roots if isinstance(root, ox.NamedNode)}
    found: dict[str, set[str]] = {}
    for fault, (rule, leads) in RULES.items():
        focus = {result.focus for result in checker.check(store, day, roots=[roots[rule]])}
        found[fault] = {node for node in _led(store, focus, leads) if node.startswith((f"{NS}dataset/", f"{NS}post/"))}
    # Whoever goes round in a circle passes on as well; the generator counts that once.
    found["delegation-passed-on"] -= found["transfer-cycle"]
    expected = {fault: set(truth["faults"][fault]) for fault in RULES}
    for fault, leads in ON_DAYS.items():
        expected[fault] &= _standing(store, leads, day)
    return {fault: found[fault] ^ expected[fault] for fault in RULES if found[fault] != expected[fault]}


def _standing(store: Reader, leads: str, day: date) -> set[str]:
    """Return the things of which a record is in force on the day."""
    rows = store.query(
        f"SELECT DISTINCT ?thing ?from ?until WHERE {{ {leads} "
        f"OPTIONAL {{ ?record <{D.from_}> ?from }} OPTIONAL {{ ?record <{D.until}> ?until }} }}"
    )
    assert isinstance(rows, ox.QuerySolutions)
    today = day.isoformat()
    return {
        row["thing"].value
        for row in rows
        if (row["from"] is None or row["from"].value <= today) and (row["until"] is None or today < row["until"].value)
    }


def _led(store: Reader, focus: set[Any], leads: str) -> set[str]:
    if not leads:
        return {node.value for node in focus}
    rows = store.query(f"SELECT DISTINCT ?x ?dataset WHERE {{ {leads} }}")
    assert isinstance(rows, ox.QuerySolutions)
    return {row["dataset"].value for row in rows if row["x"] in focus}
