"""Hold the one table that turns faults into statuses and exit codes."""

from __future__ import annotations

from graph import errors
from service.faults import OTHER, OUTCOMES, outcome_of


def kinds() -> list[type[errors.Fault]]:
    return [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.Fault) and kind is not errors.Fault
    ]


def test_every_fault_has_its_outcome() -> None:
    assert set(OUTCOMES) <= set(kinds())
    assert not [kind for kind in kinds() if outcome_of(kind("x")) is OTHER]


def test_a_fault_of_a_new_class_is_told_like_the_one_above_it() -> None:
    class Stranger(errors.NotFound):
        """Stand for a class that the table does not know."""

    assert outcome_of(Stranger("x")) is OUTCOMES[errors.NotFound]
    assert outcome_of(errors.Fault("x")) is OTHER
