"""Hold the settings: arguments before the environment before defaults, and what cannot work is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import BadSetting
from service.settings import Settings


def test_an_option_wins_over_the_environment_and_that_over_the_default() -> None:
    environment = {"DIABA_DATA": "there", "DIABA_PORT": "9000"}
    settings = Settings.read(environment, port=9001)
    assert settings == Settings(data=Path("there"), port=9001)


def test_an_empty_variable_counts_as_not_given() -> None:
    assert Settings.read({"DIABA_PORT": "", "DIABA_HOST": ""}) == Settings()


def test_a_base_path_loses_its_last_slash() -> None:
    assert Settings.read({"DIABA_BASE_PATH": "/diaba/"}).base_path == "/diaba"
    assert Settings.read({"DIABA_BASE_PATH": "/"}).base_path == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DIABA_PORT", "eighty"),
        ("DIABA_PORT", "65536"),
        ("DIABA_PORT", "-1"),
        ("DIABA_PORT", "８０"),
        ("DIABA_HOST", "  "),
        ("DIABA_BASE_PATH", "diaba"),
        ("DIABA_BASE_PATH", '/"><script>'),
        ("DIABA_LANG", "fr"),
        ("DIABA_WORKERS", "0"),
        ("DIABA_WORKERS", "many"),
        ("DIABA_DATA", __file__),
        ("DIABA_STORE", "query=https://store.example.org"),
        ("DIABA_STORE", "https://one.example.org https://two.example.org"),
    ],
)
def test_a_wrong_setting_is_refused_by_the_name_of_its_variable(variable: str, value: str) -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.read({variable: value})
    assert str(caught.value.place) == variable
    assert caught.value.remedy


def test_a_wrong_option_is_refused_by_its_name() -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.read({}, base_path="x")
    assert str(caught.value.place) == "--base-path"
