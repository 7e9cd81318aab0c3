"""Show of every rule what it finds and what it lets pass, by an engine that is not ours and by our own."""

from __future__ import annotations

import pytest

from .examples import Example, examples, judged, judged_by_pyshacl, worth_saying

ALL = examples()


@pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
def test_pyshacl_finds_in_an_example_what_it_says(example: Example) -> None:
    assert judged_by_pyshacl(example) == example.finds


@pytest.mark.parametrize("example", ALL, ids=lambda example: example.name)
def test_our_check_finds_in_an_example_what_it_says_and_nothing_else(example: Example) -> None:
    assert worth_saying(judged(example), example) == example.finds


def test_a_good_example_finds_nothing_and_a_bad_one_its_own_rule() -> None:
    for example in ALL:
        named = {rule for rule, _ in example.finds}
        if example.path.stem.startswith("good-"):
            assert not named, example.name
        else:
            assert example.path.stem.startswith("bad-"), example.name
            assert example.rule in named, example.name
