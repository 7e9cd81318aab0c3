"""The ground holds: nothing acknowledged is lost to a kill, and no answer mixes two states in a crowd."""

from __future__ import annotations

from pathlib import Path

from tests.ground.crowd import READERS, gather
from tests.ground.kills import kill_some


def test_killed_at_random_moments_nothing_acknowledged_is_lost_and_nothing_is_half_there(tmp_path: Path) -> None:
    told = kill_some(tmp_path, 20, workers=1, large=600)
    assert told.counts["owners killed"] + told.counts["workers killed"] == 20
    assert told.highest > 1


def test_in_a_crowd_no_change_is_lost_and_no_answer_mixes_two_revisions() -> None:
    crowd = gather(30.0, 2)
    assert len(crowd.read) > READERS
    assert sum(len(changes) - 1 for changes in crowd.written) > 1
