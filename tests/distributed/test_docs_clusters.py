"""What docs/clusters.md says runs, and its table is that of the cost model."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simgauge.distributed import plan_fit

PAGE = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_on_the_page_runs(number, tmp_path, monkeypatch, capsys):
    pytest.importorskip("dask.dataframe", reason="pip install 'simgauge[dask]'")
    monkeypatch.chdir(tmp_path)
    exec(compile(BLOCKS[number], "clusters.md", "exec"), {})
    out = capsys.readouterr().out
    assert out
    if "plan_fit" in BLOCKS[number]:
        assert out in PAGE  # the table is what the code prints


def test_the_figures_of_the_plan():
    plan = plan_fit(1e9, 1e7, 128, hours=0.5, worker_memory=120 * 2**30)
    assert (plan.n_workers, plan.passes, plan.steps) == (16, 39, 36)
    assert f"{plan.driver_bytes / 1e9:.0f} GB, one machine" in PAGE
    assert f"{plan.data_bytes / 1e12:.2f} TB of CSR" in PAGE
    few = plan_fit(1e9, 1e7, 128, n_workers=64, threads=4)
    many = plan_fit(1e9, 1e7, 128, n_workers=64)
    assert few.moved_bytes < 0.5 * many.moved_bytes
