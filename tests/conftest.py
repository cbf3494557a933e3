"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

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
