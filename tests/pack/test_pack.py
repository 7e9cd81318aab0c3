"""The manifest of a pack: what it says, and what is said of a bad one."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import Malformed, Unreadable
from graph.pack import Pack, quads_of, read_pack
from graph.terms import Confidence

MANIFEST = """\
name = "xx"
version = "1"
title = { en = "Elsewhere" }
timezone = "Europe/Brussels"
languages = ["en"]

[[part]]
file = "areas.ttl"
source = "https://example.org/areas"
title = { en = "Areas" }
confidence = "V2"
"""
AREAS = "<https://example.org/a> a <https://w3id.org/diaba/ns#Area> ."


def make(folder: Path, manifest: str = MANIFEST, areas: str = AREAS) -> Pack:
    (folder / "pack.toml").write_text(manifest, "utf-8")
    (folder / "areas.ttl").write_text(areas, "utf-8")
    return read_pack(folder)


def test_a_second_country_is_files_only(tmp_path: Path) -> None:
    pack = make(tmp_path)
    assert (pack.name, pack.languages, pack.timezone.key) == ("xx", ("en",), "Europe/Brussels")
    (part,) = pack.parts
    assert part.confidence == Confidence.V2
    assert part.mapping is None
    assert [quad.subject.value for quad in quads_of(part)] == ["https://example.org/a"]  # type: ignore[union-attr]


def test_the_pack_of_viet_nam_counts_its_own_days(pack: Pack) -> None:
    assert (pack.name, pack.timezone.key, pack.languages) == ("vn", "Asia/Ho_Chi_Minh", ("vi", "en"))


def test_every_file_of_the_pack_is_listed(pack: Pack) -> None:
    listed = {part.file for part in pack.parts} | {part.mapping for part in pack.parts}
    held = {path for path in pack.folder.iterdir() if path.suffix in {".ttl", ".csv", ".rq"}}
    # the words that search folds are no statements
    assert held - listed == {pack.folder / "abbreviations.csv"}


def test_every_part_has_a_title_in_each_language_and_a_source_of_its_own(pack: Pack) -> None:
    assert all(set(part.title) == set(pack.languages) for part in pack.parts)
    assert len({part.source for part in pack.parts}) == len(pack.parts)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('name = "xx"\n', "", "lacks keys: name"),
        ('version = "1"', 'version = "1"\ncolour = "red"', "unknown keys: colour"),
        ("Europe/Brussels", "Europe/Nowhere", 'no time zone "Europe/Nowhere"'),
        ('confidence = "V2"', 'confidence = "V9"', 'unknown confidence "V9"'),
        ('confidence = "V2"', "", 'the part "areas.ttl" lacks keys: confidence'),
        ("name = ", "name ", "is no TOML"),
        (MANIFEST, MANIFEST + MANIFEST[MANIFEST.index("[[part]]") :], "same source"),
    ],
)
def test_a_bad_manifest_is_refused(tmp_path: Path, before: str, after: str, words: str) -> None:
    with pytest.raises(Malformed) as caught:
        make(tmp_path, MANIFEST.replace(before, after))
    assert words in caught.value.message
    assert caught.value.place is not None
    assert caught.value.place.file.endswith("pack.toml")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"areas\.csv"):
        make(tmp_path, MANIFEST.replace("areas.ttl", "areas.csv"))


def test_a_folder_without_a_manifest_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        read_pack(tmp_path)


def test_a_part_that_does_not_parse_is_refused_with_its_line(tmp_path: Path) -> None:
    pack = make(tmp_path, areas="<https://example.org/a> a\n\n .")
    with pytest.raises(Malformed) as caught:
        list(quads_of(pack.parts[0]))
    assert caught.value.place is not None
    assert caught.value.place.line == 3
