"""Ask who answers for random datasets, beside the bare chain query on the same datasets, in one process.

``who`` fetches every claim with chains, successions and scopes, decides all roles and explains; the bare query fetches
the accountable responsibilities that name the dataset and what they were taken from, and decides nothing.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from graph.answering import Desk, Sources, who

from .datasets import KNOWN_AT
from .measuring import in_turn
from .truth import LATE
from .world import NS

_BARE: Final = """PREFIX d: <https://w3id.org/diaba/ns#> PREFIX role: <https://w3id.org/diaba/role/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
SELECT ?c ?h ?f ?u {
 { SELECT DISTINCT ?c { ?r d:covers <%s> LATERAL { ?r (^d:creates/d:takesFrom)* ?c } } }
 LATERAL { ?c d:role ?role FILTER(?role = role:accountable) }
 LATERAL { ?c d:holder ?h OPTIONAL { ?c d:from ?f } OPTIONAL { ?c d:until ?u } }
 FILTER((!BOUND(?f) || ?f <= "%s"^^xsd:date) && (!BOUND(?u) || ?u > "%s"^^xsd:date)) }"""


def datasets(count: int, of: int, seed: int = 1) -> list[str]:
    """Return the IRIs of ``count`` random datasets out of ``of``."""
    return [f"{NS}dataset/{index}" for index in random.Random(seed).sample(range(of), min(count, of))]


def measure(sources: Sources, of: int, count: int = 1000, history: bool = False) -> dict[str, Any]:
    """Return the spread of each way of asking, and its ratio to the bare query.

    ``who`` is asked at a desk that keeps what questions share, as the service does; *nothing kept* reads all anew.
    With ``history`` also as known at an instant before many records were corrected.
    """
    on = date.fromisoformat(LATE)
    desk = Desk(sources)
    calls: dict[str, Callable[[str], object]] = {
        "bare chain query": lambda iri: [tuple(row) for row in sources.graph.query(_BARE % (iri, LATE, LATE))],
        "who": lambda iri: desk.who(iri, on),
        "who, nothing kept": lambda iri: who(sources, iri, on),
    }
    if history:
        past = datetime.fromisoformat(KNOWN_AT)
        calls["who, known then"] = lambda iri: desk.who(iri, on, past)
        calls["who, known then, nothing kept"] = lambda iri: who(sources, iri, on, past)
    # the first questions warm the desk, as in a service that has run for a while
    in_turn(calls, datasets(200, of, seed=2))
    found = in_turn(calls, datasets(count, of))
    least = found["bare chain query"]
    return {
        name: {
            **taken.as_json(),
            "ratio": round(taken.p50 / least.p50, 2),
            "cpu ratio": round(taken.cpu / least.cpu, 2),
        }
        for name, taken in found.items()
    }
