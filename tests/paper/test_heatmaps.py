"""Heat maps share the settings of matplotlib with the figures of the report, one drawing at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np

from simgauge.paper.heatmaps import draw_heatmaps
from simgauge.report.figures import random_gauge_figure

PANEL = SimpleNamespace(title="whitened", formula="U", group="Eq. 1", cosines=np.eye(3), auc=0.5)
ROWS = [{"condition_number": k, "overlap": 1 / k, "low": 0.5 / k, "high": 1 / k} for k in (2.0, 10.0, 100.0)]


def test_drawings_from_threads_are_the_same_and_settings_of_matplotlib_stay(tmp_path) -> None:
    import matplotlib as mpl

    def drawn(number: int) -> bytes | str:
        if number % 2:
            return random_gauge_figure(ROWS)
        path = tmp_path / f"{number}.svg"
        draw_heatmaps([PANEL], [2], path, "svg")
        return path.read_bytes()

    alone, before = {drawn(100), drawn(101)}, dict(mpl.rcParams)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(drawn, range(12))) == alone
    assert dict(mpl.rcParams) == before
