"""Heat maps as PNG, read back by another library: colours follow the numbers, in the order of rows and columns."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest

from simgauge.report.pictures import COLD, MIDDLE, WARM, heat_picture, shrunk


def read_back(address):
    from matplotlib.image import imread

    return (imread(io.BytesIO(base64.b64decode(address.split(",")[1])))[:, :, :3] * 255).round().astype(int)


def test_colours_follow_the_numbers():
    pixels = read_back(heat_picture(np.array([[-1.0, 0.0, 1.0], [5.0, -5.0, np.nan]])))
    assert pixels.tolist() == [[list(COLD), list(MIDDLE), list(WARM)], [list(WARM), list(COLD), list(MIDDLE)]]


@pytest.mark.parametrize("size", [1, 199, 200, 201, 1_000])
def test_large_tables_are_averaged(size, rng):
    values = rng.uniform(-1, 1, (size, 3))
    small = shrunk(values, 200)
    assert len(small) == min(size, 200)
    if size == 1_000:
        assert np.allclose(small, values.reshape(200, 5, 3).mean(axis=1))
    assert small.min() >= -1
    assert read_back(heat_picture(values)).shape == (min(size, 200), 3, 3)
