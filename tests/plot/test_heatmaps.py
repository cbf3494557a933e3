"""Heat maps are the same from threads, one drawing at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np

from simgauge.plot.heatmaps import draw_heatmaps

PANEL = SimpleNamespace(title="whitened", formula="U", group="Eq. 1", cosines=np.eye(3), auc=0.5)


def test_drawings_from_threads_are_the_same_and_settings_of_matplotlib_stay(tmp_path) -> None:
    import matplotlib as mpl

    def drawn(number: int) -> bytes:
        path = tmp_path / f"{number}.svg"
        draw_heatmaps([PANEL], [2], path, "svg")
        return path.read_bytes()

    alone, before = drawn(100), dict(mpl.rcParams)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(drawn, range(8))) == {alone}
    assert dict(mpl.rcParams) == before
