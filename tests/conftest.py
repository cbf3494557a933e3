"""Fixtures that all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.pop(
    "COLUMNS", None
)  # pytest-xdist sets it in its workers: the width of its own terminal, not of what is tested

SHARED = Path(os.environ.get("SIMGAUGE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20240308)


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data that is not shipped; tests that need it skip where it is missing."""
    if not (SHARED / "ml-100k").is_dir():
        pytest.skip(f"real data not found at {SHARED} (set SIMGAUGE_TEST_DATA to its folder)")
    return SHARED


@pytest.fixture(autouse=True)
def no_folder_of_tests_as_a_package() -> Iterator[None]:
    """Libraries that look for Hugging Face's `datasets` find the folder tests/datasets, and others then trust them."""
    yield
    if "datasets" in sys.modules and getattr(sys.modules["datasets"], "__file__", None) is None:
        del sys.modules["datasets"]
