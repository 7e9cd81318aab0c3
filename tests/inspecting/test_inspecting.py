"""Hold the check of files to the example files of the rules, and what it tells to what the files themselves say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from graph import inspecting
from graph.inspecting import Inspector, context_of
from graph.pack import Pack, read_pack
from graph.resources import folder
from graph.rules import read_rules
from graph.shacl.shapes import INFO
from tests.rules.examples import Example, examples

ALL = examples()


@pytest.fixture(scope="module")
def inspector() -> Inspector:
    """Return what checks by all rules, with the ontology and no pack beside the files."""
    return Inspector(read_rules("vn"))


@pytest.mark.parametrize("example", ALL[::4], ids=lambda example: example.name)
def test_a_check_of_an_example_finds_exactly_what_the_example_says(inspector: Inspector, example: Example) -> None:
    found = inspector.inspect([example.path], example.day).found
    faults = {(inspector.rules.by_iri[one.rule].name, one.about.value): one.severity for one in found}
    assert {fault for fault, severity in faults.items() if severity != INFO} <= set(example.finds) <= set(faults)


def test_every_fault_of_an_example_has_the_line_of_what_it_is_about(inspector: Inspector) -> None:
    for example in [one for one in ALL if one.finds][::8]:
        lines = example.path.read_text("utf-8").splitlines()
        for one in inspector.inspect([example.path], example.day).found:
            local = one.about.value.rpartition("/")[2]
            assert one.place is not None
            if one.place.line is None:
                continue
            begun = one.place.line
            while not lines[begun - 1].startswith(("x:", "<")):
                begun -= 1
            assert lines[begun - 1].startswith((f"x:{local} ", f"<{one.about.value}>")), example.name


def test_two_files_are_judged_together_and_told_apart(inspector: Inspector, tmp_path: Path) -> None:
    prefixes = "@prefix x: <https://example.org/> . @prefix d: <https://w3id.org/diaba/ns#> .\n"
    (tmp_path / "a.ttl").write_text(
        prefixes + "x:wells a <http://www.w3.org/ns/dcat#Dataset> .\nx:act a d:LegalInstrument .\n"
    )
    (tmp_path / "b.ttl").write_text(
        prefixes + "x:one a d:Responsibility ; d:holder x:a ; d:covers x:wells ; d:basis x:act ;\n"
        "  d:role <https://w3id.org/diaba/role/accountable> .\nx:a a d:Agency .\n"
        "x:two a d:Responsibility ; d:holder x:b ; d:covers x:wells ; d:basis x:act ;\n"
        "  d:role <https://w3id.org/diaba/role/accountable> .\nx:b a d:Agency .\n"
    )
    found = inspector.inspect([tmp_path], date(2026, 1, 1)).found
    disputed = [one for one in found if one.rule.endswith("#more-than-one-accountable")]
    assert {one.about.value for one in disputed} == {"https://example.org/wells"}
    assert {(Path(one.place.file).name, one.place.line) for one in disputed if one.place} == {("a.ttl", 2)}


@pytest.fixture
def small_pack(tmp_path: Path) -> Pack:
    """Return a pack with one part, of another country."""
    home = tmp_path / "xx"
    home.mkdir()
    (home / "pack.toml").write_text(
        'name = "xx"\nversion = "1"\ntitle = { en = "X" }\ntimezone = "UTC"\nlanguages = ["en"]\n[[part]]\n'
        'file = "a.ttl"\nsource = "https://example.org/xx"\ntitle = { en = "A" }\nconfidence = "V1"\n'
    )
    (home / "a.ttl").write_text("<https://example.org/office> a <https://w3id.org/diaba/ns#Agency> .\n")
    return read_pack(home)


def test_the_context_is_kept_until_anything_it_is_made_of_changes(
    small_pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = context_of(small_pack)
    (kept,) = (tmp_path / "cache" / "diaba").iterdir()
    monkeypatch.setattr(inspecting, "_stated", lambda *_: pytest.fail("it was made again"))
    assert context_of(small_pack) == made
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (small_pack.folder / "a.ttl").write_text("<https://example.org/bureau> a <https://w3id.org/diaba/ns#Agency> .\n")
    assert b"bureau" in context_of(small_pack).lines
    assert [path.name for path in (tmp_path / "cache" / "diaba").iterdir()] != [kept.name]


def test_a_spoilt_or_unwritable_cache_costs_time_only(
    small_pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = context_of(small_pack)
    (kept,) = (tmp_path / "cache" / "diaba").iterdir()
    kept.write_bytes(b"nothing")
    assert len(context_of(small_pack).lines.splitlines()) == len(made.lines.splitlines())
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder("shapes") / "agency.ttl"))
    assert len(context_of(small_pack).lines.splitlines()) == len(made.lines.splitlines())
