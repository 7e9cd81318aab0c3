"""Turn a fault into an HTTP status and an exit code: one table, the most special class first found counts."""

from __future__ import annotations

from dataclasses import dataclass

from graph import errors


@dataclass(frozen=True, slots=True)
class Outcome:
    """Hold what a kind of fault means outside: HTTP status, exit code, and its name in the catalogue of words."""

    status: int
    exit_code: int
    name: str


FOUND, NOTHING, USAGE, REFUSED, BROKEN, PARTIAL = 0, 1, 2, 3, 4, 5

OUTCOMES: dict[type[errors.Fault], Outcome] = {
    errors.BadQuestion: Outcome(400, USAGE, "bad-question"),
    errors.NotFound: Outcome(404, NOTHING, "not-found"),
    errors.Malformed: Outcome(422, REFUSED, "malformed"),
    errors.Unreadable: Outcome(422, REFUSED, "unreadable"),
    errors.ShapeFault: Outcome(422, REFUSED, "shape-fault"),
    errors.ForeignGraph: Outcome(403, REFUSED, "foreign-graph"),
    errors.BadSetting: Outcome(500, USAGE, "bad-setting"),
    errors.DataDirectory: Outcome(503, BROKEN, "data-directory"),
    errors.JournalBroken: Outcome(503, BROKEN, "journal-broken"),
    errors.StoreFault: Outcome(503, BROKEN, "store-fault"),
    errors.Busy: Outcome(503, BROKEN, "busy"),
    errors.ReasonerFault: Outcome(503, BROKEN, "reasoner-fault"),
}
OTHER = Outcome(500, BROKEN, "fault")


def outcome_of(fault: errors.Fault) -> Outcome:
    """Return what this fault means outside, by its class or the nearest class above it."""
    return next((OUTCOMES[kind] for kind in type(fault).__mro__ if kind in OUTCOMES), OTHER)
