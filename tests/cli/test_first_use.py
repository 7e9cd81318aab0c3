"""Hold the first use: no data directory, a question, and the Vietnam pack is there and answers."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_the_first_question_makes_the_register_and_answers(diaba: Run, tmp_path: Path) -> None:
    asked = ("--data", str(tmp_path / "data"), "--lang", "vi")
    first = diaba("who", "đăng ký doanh nghiệp", "--as-of", "2025-02-28", *asked)
    assert first.code == 0
    assert "từ gói vn" in first.err
    assert "có bên chịu trách nhiệm Bộ Kế hoạch và Đầu tư" in first.words
    later = diaba("who", "dang ky doanh nghiep", "--as-of", "2025-03-01", *asked)
    assert (later.code, later.err) == (0, "")
    assert "có bên chịu trách nhiệm Bộ Tài chính" in later.words
    land = [diaba("who", "dat dai", "--as-of", day, *asked).words for day in ("2025-02-28", "2025-03-01")]
    assert "Bộ Tài nguyên và Môi trường" in land[0]
    assert "Bộ Nông nghiệp và Môi trường" in land[1]
    codes = [diaba("search", "24", "--as-of", day, "--json", *asked).json for day in ("2025-06-30", "2025-07-01")]
    assert [found["rows"][0]["label"] for found in codes] == ["Tỉnh Bắc Giang", "Tỉnh Bắc Ninh"]
    assert {found["rows"][0]["remark"] for found in codes} == {"mã 24"}
    plain = diaba("who", "dang ky doanh nghiep", "--as-of", "2025-02-28", "--data", str(tmp_path / "data"))
    assert "Accountable ● held Bộ Kế hoạch và Đầu tư" in plain.words  # English sentences, the country's own names
