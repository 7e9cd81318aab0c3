"""Give every test what several of them need; nothing here is slow or reaches outside the machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]

# Stores and first imports make single examples slow on a small machine: judge the outcome, not the clock. The examples
# are the same each time, so that a failure belongs to the change at hand; DIABA_EXAMPLES=2000 searches on with others.
settings.register_profile(
    "diaba",
    deadline=None,
    max_examples=int(os.environ.get("DIABA_EXAMPLES", "60")),
    derandomize="DIABA_EXAMPLES" not in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("diaba")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of reference and test input beside the checkout; skip, naming it, where it is missing."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the folder ../shared is missing beside the checkout")
    return folder
