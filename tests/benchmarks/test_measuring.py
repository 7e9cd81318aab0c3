"""Hold the benchmarks to running, and their arithmetic to being right; not to figures, which are the machine's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as bench
from tests.benchmarks.measuring import apart, folder_sizes, in_turn, spread


def test_a_spread_is_in_milliseconds() -> None:
    found = spread([second / 1000 for second in range(1, 101)], cpu=[0.002, 0.001, 0.003])
    assert (found.count, found.p50, found.p95, found.worst, found.cpu) == (100, 51.0, 96.0, 100.0, 2.0)


def test_calls_take_turns_at_coming_first() -> None:
    asked: list[tuple[str, str]] = []
    calls = {name: lambda key, name=name: asked.append((name, key)) for name in ("a", "b")}
    found = in_turn(calls, ["x", "y"])
    assert asked == [("a", "x"), ("b", "x"), ("b", "y"), ("a", "y")]
    assert {name: taken.count for name, taken in found.items()} == {"a": 2, "b": 2}


def test_sizes_count_what_lies_deep(tmp_path: Path) -> None:
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "file").write_bytes(b"12345")
    (tmp_path / "flat").write_bytes(b"12")
    assert folder_sizes(tmp_path) == {"deep": 5, "flat": 2}


def test_a_process_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(TimeoutError, match="longer than"):
        apart("tests.benchmarks.bench_load", {}, patience=0.001)


def test_loading_and_asking_are_measured_at_any_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "CACHE", tmp_path)
    figures = tmp_path / "figures.json"
    assert bench.main(["150", "--only", "load,who", "--json", str(figures)]) == 0
    found = json.loads(figures.read_text(encoding="utf-8"))["results"]["150"]
    assert found["load"]["bare"]["quads"] > 5000
    assert {"reading", "standings", "search"} <= set(found["load"]["register"]["phases"])
    assert found["load"]["register"]["peak_pss"] > 0
    assert found["who"]["milliseconds"]["bare chain query"]["ratio"] == 1.0
    assert found["who"]["milliseconds"]["who"]["count"] == 150
