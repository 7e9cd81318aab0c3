"""Every format is read alike, by its extension or by what stands in it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pyoxigraph as ox
import pytest

from graph import files
from graph.errors import Fault, Malformed, Place, Unreadable
from graph.files import MAX_LINE, input_of, open_inputs, parse

BASE = "https://example.org/source"
TEXTS = {
    ".ttl": '@prefix x: <https://example.org/> . x:a x:b "ngày" ; x:c <d> .',
    ".trig": '@prefix x: <https://example.org/> . { x:a x:b "ngày" ; x:c <d> }',
    ".nt": '<https://example.org/a> <https://example.org/b> "ngày" .\n'
    "<https://example.org/a> <https://example.org/c> <https://example.org/d> .\n",
    ".nq": '<https://example.org/a> <https://example.org/b> "ngày" .\n'
    "<https://example.org/a> <https://example.org/c> <https://example.org/d> .\n",
    ".jsonld": '{"@context": {"@vocab": "https://example.org/"}, "@id": "https://example.org/a", "b": "ngày",'
    ' "c": {"@id": "d"}}',
    ".rdf": '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns="https://example.org/"><rdf:Description rdf:about="https://example.org/a"><b>ngày</b>'
    '<c rdf:resource="d"/></rdf:Description></rdf:RDF>',
}
EXPECTED = {
    ("https://example.org/b", "ngày"),
    ("https://example.org/c", "https://example.org/d"),
}


def read(path: Path) -> set[tuple[str, str]]:
    return {(p.value, o.value) for _, p, o, _ in parse(input_of(path), BASE)}


@pytest.mark.parametrize("suffix", TEXTS)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
def test_every_format_says_the_same(suffix: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / f"data{suffix}{'.gz' if packed else ''}"
    text = TEXTS[suffix].encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    assert read(path) == EXPECTED


@pytest.mark.parametrize("suffix", TEXTS)
def test_content_tells_the_format_where_the_extension_does_not(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("\ufeff# a comment\n" * (suffix in {".ttl", ".nt"}) + TEXTS[suffix], "utf-8")
    if suffix == ".trig":
        path.write_text(TEXTS[suffix].replace("> . {", "> .\n{"), "utf-8")
    assert read(path) == EXPECTED


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.ttl", b"", "empty"),
        ("a.ttl", b" \n\n", "empty"),
        ("a.ttl", b"%PDF-1.7 \x00", "PDF"),
        ("a.ttl", b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        ("a.rdf", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>', "web page"),
        ("a.nq", b"\x01\x02\x00\x03" * 100, "binary"),
        ("a.nt", "<a> <b> <c> .".encode("utf-16"), "UTF-16"),
        ("a.xlsx", b"PK\x03\x04....", "ZIP"),
        ("a.txt", b"Dear reader, this is a letter.", "Nothing shows"),
        ("a.ttl.gz", gzip.compress(b"<http://a> a <http://b> .")[:-9], "cut off"),
        ("a.ttl.gz", gzip.compress(b"<http://a> a <http://b> .") + b"garbage", "followed by something else"),
        ("a.nq.gz", gzip.compress(b"<http://a> a <http://b> .\n" * 9000) + b"garbage", "followed by something else"),
        ("a.ttl.gz", gzip.compress(gzip.compress(b"<http://a> a <http://b> .")), "gzipped file inside"),
    ],
)
def test_what_is_no_rdf_is_named(name: str, content: bytes, what: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=what) as told:
        list(parse(input_of(path), BASE))
    assert told.value.remedy
    assert str(path) in str(told.value)


def test_a_table_asks_for_a_mapping(tmp_path: Path) -> None:
    path = tmp_path / "bodies.csv"
    path.write_text("name,from\nBộ Tài chính,2025-03-01\n")
    with pytest.raises(Unreadable) as told:
        input_of(path)
    assert "--mapping" in told.value.remedy


def test_a_missing_file_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        input_of(tmp_path / "none.ttl")


@pytest.mark.parametrize("name", ["pipe.ttl", "pipe.csv"])
def test_a_pipe_is_not_waited_for(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(Unreadable, match="a pipe or a device"):
        input_of(tmp_path / name)


def test_an_empty_name_is_not_the_directory_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.ttl").write_text("<http://a/a> <http://a/b> <http://a/c> .\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unreadable, match="is empty") as told, open_inputs([""]):
        pass
    assert told.value.remedy
    with open_inputs(["."]) as [[found]]:
        assert found.path.name == "a.ttl"


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="This is a directory"):
        input_of(tmp_path)


def test_a_path_with_a_zero_byte_is_told() -> None:
    with pytest.raises(Unreadable, match="no path"), open_inputs(["file:///a%00b.ttl"]):
        pass


def test_a_directory_stands_for_its_rdf_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    for name in ("b.ttl", "a.nt", "below/c.trig", "notes.txt", ".hidden.ttl"):
        (tmp_path / name).write_text("<http://a/a> <http://a/b> <http://a/c> .\n")
    with open_inputs([tmp_path]) as [found]:
        assert [source.path.name for source in found] == ["a.nt", "b.ttl", "c.trig"]
        assert found[0].address == (tmp_path / "a.nt").as_uri()


def test_what_is_hidden_below_a_directory_stays_out(tmp_path: Path) -> None:
    for name in (".git/x.ttl", "below/.cache/deep/y.nt", "below/z.ttl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<http://a/a> <http://a/b> <http://a/c> .\n")
    with open_inputs([tmp_path]) as [found]:
        assert [source.path for source in found] == [tmp_path / "below/z.ttl"]


def test_a_directory_named_itself_may_be_hidden(tmp_path: Path) -> None:
    (tmp_path / ".registers").mkdir()
    (tmp_path / ".registers" / "a.ttl").write_text("<http://a/a> <http://a/b> <http://a/c> .\n")
    with open_inputs([tmp_path / ".registers"]) as [found]:
        assert len(found) == 1


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.ttl").write_text("<http://a/a> <http://a/b> <http://a/c> .\n")
    (tmp_path / "closed").mkdir()
    scan = os.scandir

    def refuse(path: str) -> object:
        if path == str(tmp_path / "closed"):
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(Unreadable, match="Permission denied") as told, open_inputs([tmp_path]):
        pass
    assert told.value.place == Place(str(tmp_path / "closed"))


def test_a_link_to_nothing_below_a_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.ttl").symlink_to(tmp_path / "none.ttl")
    with pytest.raises(Unreadable, match="No such file"), open_inputs([tmp_path]):
        pass


def test_a_directory_without_rdf_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no RDF file"), open_inputs([tmp_path]):
        pass


def test_a_file_address_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "đất đai.ttl"
    path.write_text("<http://a/a> <http://a/b> <http://a/c> .\n")
    with open_inputs([path.as_uri()]) as [[found]]:
        assert found.path == path


class TestSyntax:
    """Broken syntax is told with file, line, column, and what stands there."""

    def fault(self, path: Path, text: str | bytes) -> Malformed:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(Malformed) as told:
            list(parse(input_of(path), BASE))
        assert len(str(told.value)) < 1000
        assert told.value.remedy
        return told.value

    def test_turtle(self, tmp_path: Path) -> None:
        fault = self.fault(tmp_path / "a.ttl", "@prefix x: <http://a/> .\nx:a x:b x:c .\nx:a x:b x:c x:d .\n")
        assert fault.place is not None
        assert (fault.place.line, fault.place.file) == (3, str(tmp_path / "a.ttl"))
        assert fault.place.column
        assert "x:d" in fault.message

    def test_n_quads_far_into_a_large_file(self, tmp_path: Path) -> None:
        good = "<http://a/a> <http://a/b> <http://a/c> <http://a/g> .\n" * 60_000
        fault = self.fault(tmp_path / "a.nq", good + "<http://a/a> <http://a/b> .\n" + good)
        assert fault.place is not None
        assert fault.place.line == 60_001

    def test_rdf_xml(self, tmp_path: Path) -> None:
        text = TEXTS[".rdf"].replace("</rdf:Description>", "\n</rdf:Descripton>")
        fault = self.fault(tmp_path / "a.rdf", text)
        assert fault.place is not None
        assert fault.place.line in (None, 2)

    @pytest.mark.parametrize("suffix", [".rdf", ".jsonld"])
    def test_a_document_cut_off_anywhere_is_refused(self, suffix: str, tmp_path: Path) -> None:
        text = TEXTS[suffix].encode()
        for length in range(2, len(text)):
            path = tmp_path / f"{length}{suffix}"
            path.write_bytes(text[:length])
            with pytest.raises(Fault):
                list(parse(input_of(path), BASE))

    def test_xml_cut_off_is_told_with_the_line_on_which_it_stops(self, tmp_path: Path) -> None:
        text = TEXTS[".rdf"].replace("<c ", "\n<c ")
        fault = self.fault(tmp_path / "a.rdf", text[: text.index("</rdf:Description>")])
        assert "cut off" in fault.message
        assert fault.place is not None
        assert fault.place.line == 2

    def test_entities_of_a_document_stay_usable(self, tmp_path: Path) -> None:
        path = tmp_path / "a.owl"
        path.write_text(
            '<?xml version="1.0"?><!DOCTYPE rdf:RDF [<!ENTITY x "https://example.org/">]>'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="&x;">'
            '<rdf:Description rdf:about="&x;a"><b>ngày</b><c rdf:resource="&x;d"/></rdf:Description></rdf:RDF>\n'
        )
        assert read(path) == EXPECTED

    def test_json(self, tmp_path: Path) -> None:
        assert self.fault(tmp_path / "a.jsonld", '{"@id": "http://a/a",\n "http://a/b": nothing}').place

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        self.fault(tmp_path / "a.nt", b'<http://a/a> <http://a/b> "\xff\xfe" .\n')

    def test_a_remote_context_is_never_fetched(self, tmp_path: Path) -> None:
        fault = self.fault(tmp_path / "a.jsonld", '{"@context": "https://schema.org/", "name": "x"}')
        assert "not fetched" in fault.message

    @pytest.mark.parametrize("suffix", [".ttl", ".trig", ".nt", ".nq"])
    @pytest.mark.parametrize("kind", ["valid", "garbage"])
    def test_a_line_of_ten_megabytes(self, suffix: str, kind: str, tmp_path: Path) -> None:
        line = b"<http://a/a> <http://a/b> <http://a/c> .\n"
        text = b'<http://a/a> <http://a/b> "' + b"x" * 10_000_000 + b'" .\n' if kind == "valid" else b"x" * 10_000_000
        fault = self.fault(tmp_path / f"a{suffix}", line * 2 + text)
        assert "longer than 1 MiB" in fault.message
        assert fault.place is not None
        assert fault.place.line == 3

    def test_a_value_of_twenty_megabytes_in_json(self, tmp_path: Path) -> None:
        self.fault(tmp_path / "a.jsonld", '{"@id": "http://a/a", "http://a/b": "' + "x" * 20_000_000 + '"}')


def test_a_short_line_is_read_whatever_the_size_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.nt"
    text = '<http://a/a> <http://a/b> "' + "x" * (MAX_LINE - 100) + '" .\n'
    path.write_text(text * 3)
    assert sum(1 for _ in parse(input_of(path), BASE)) == 3


def test_a_document_on_one_line_is_fine_in_json_and_xml(tmp_path: Path) -> None:
    things = ",".join(f'{{"@id": "http://a/{n}", "http://a/b": "x"}}' for n in range(50_000))
    path = tmp_path / "a.jsonld"
    path.write_text(f'{{"@graph": [{things}]}}')
    assert path.stat().st_size > MAX_LINE
    assert sum(1 for _ in parse(input_of(path), BASE)) == 50_000


@pytest.mark.parametrize(
    ("suffix", "start", "filling", "end"),
    [
        (".jsonld", '{"@id": "http://a/a",', " ", '"http://a/b": "x"}'),
        (".jsonld", '{"@graph": [{}', ', {"@id": "http://a/a", "http://a/b": "x"}', "]}"),
        (".rdf", TEXTS[".rdf"][: TEXTS[".rdf"].index("ngày")], "x ", "</b></rdf:Description></rdf:RDF>"),
    ],
)
def test_a_packed_flood_is_refused_before_it_fills_the_memory(
    suffix: str, start: str, filling: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_SILENCE", 100_000)
    path = tmp_path / f"a{suffix}.gz"
    path.write_bytes(gzip.compress((start + filling * 200_000 + end).encode()))
    read_so_far: list[int] = []
    monkeypatch.setattr(files, "_CHUNK", 1)
    with pytest.raises(Malformed, match="make no statement") as told:
        list(parse(input_of(path), BASE, read_so_far.append))
    assert told.value.remedy
    assert max(read_so_far) < 200_000


@pytest.mark.parametrize("suffix", [".jsonld", ".rdf"])
def test_a_long_document_that_keeps_stating_things_is_read(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_SILENCE", 100_000)
    path = tmp_path / f"a{suffix}"
    if suffix == ".jsonld":
        path.write_text("[" + ",".join(['{"@id": "http://a/a", "http://a/b": "x"}'] * 10_000) + "]")
    else:
        start, end = TEXTS[suffix].split("<b>ngày</b>")
        path.write_text(start + "<b>x</b>" * 50_000 + end)
    assert path.stat().st_size > 300_000
    assert sum(1 for _ in parse(input_of(path), BASE)) >= 10_000


def test_every_fault_has_somewhere_to_look(tmp_path: Path) -> None:
    for suffix in (".ttl", ".trig", ".nt", ".nq", ".jsonld", ".rdf"):
        path = tmp_path / f"a{suffix}"
        path.write_text("this is <<< nothing at all }}}")
        with pytest.raises(Fault) as told:
            assert isinstance(next(parse(input_of(path), BASE)), ox.Quad)
        assert told.value.place
