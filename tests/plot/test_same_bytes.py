"""Drawings of matplotlib are the same from threads, and its settings stay as they were."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor

from simgauge.plot.same_bytes import drawn_alike


def drawing(_: int) -> bytes:
    from matplotlib.figure import Figure

    with drawn_alike({"font.size": 17}):
        buffer = io.BytesIO()
        figure = Figure()
        figure.add_subplot().plot([1, 2])
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def test_drawings_from_threads_are_the_same_and_settings_of_matplotlib_stay() -> None:
    import matplotlib as mpl

    alone, before = drawing(0), dict(mpl.rcParams)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(drawing, range(8))) == {alone}
    assert dict(mpl.rcParams) == before
