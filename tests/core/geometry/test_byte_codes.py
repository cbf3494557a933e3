"""Unsigned bytes are told from counts, grades, bits and real numbers."""

from __future__ import annotations

import numpy as np
import pytest

from simgauge.core.geometry.byte_codes import byte_codes


@pytest.mark.parametrize("zero_point", [60, 100, 128, 180])
@pytest.mark.parametrize("spread", [5.0, 20.0, 35.0])
def test_numbers_around_a_zero_point_are_found(rng, zero_point, spread):
    codes = np.clip(np.rint(rng.normal(zero_point, spread, (300, 40))), 0, 255)
    found = byte_codes(codes)
    if codes.max() <= 127:
        assert found is None  # signed bytes look like this too
        return
    assert found.offset == pytest.approx(zero_point, abs=3)
    assert found.offset_share == pytest.approx(zero_point**2 / (zero_point**2 + spread**2), abs=0.05)


def test_packed_bits_are_found(rng):
    for share in (0.3, 0.5, 0.7):
        assert byte_codes(np.packbits(rng.random((200, 128)) < share, axis=1).astype(float)) is not None


@pytest.mark.parametrize("name", ["real", "signed", "counts", "grades", "bits", "sparse", "large", "exponential"])
def test_everything_else_is_not(rng, name):
    rows = {
        "real": rng.normal(128, 20, (200, 30)),
        "signed": np.rint(rng.normal(0, 40, (200, 30))),
        "counts": rng.poisson(5, (200, 30)),
        "grades": rng.integers(1, 6, (200, 30)),
        "bits": rng.integers(0, 2, (200, 30)) * 255,
        "sparse": rng.integers(0, 256, (200, 30)) * (rng.random((200, 30)) < 0.5),
        "large": rng.integers(100, 400, (200, 30)),
        "exponential": np.minimum(np.floor(rng.exponential(40, (200, 30))), 255),
    }[name]
    assert byte_codes(rows.astype(float)) is None
