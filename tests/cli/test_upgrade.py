"""simgauge upgrade: from two files to a map that apply takes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simgauge import Embedding

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def tables(tmp_path, rng):
    meaning = rng.standard_normal((300, 5))
    for name, width in (("old", 6), ("new", 8)):
        np.save(tmp_path / f"{name}.npy", meaning @ np.linalg.qr(rng.standard_normal((width, 5)))[0].T)
    return tmp_path


def test_the_map_is_written_and_applied(run, tables):
    path = tables / "map.safetensors"
    code, out, _ = run("upgrade", tables / "old.npy", tables / "new.npy", "--out", path, "-k", 5)
    assert code == 0
    assert "given up by not re-embedding" in out
    assert "(chosen)" in out
    assert f"simgauge apply {path} QUERIES" in out
    code, _, _ = run("apply", path, tables / "new.npy", "--out", tables / "moved")
    assert code == 0
    moved, old = Embedding.load(tables / "moved").items, np.load(tables / "old.npy")
    cosines = (moved * old).sum(axis=1) / np.linalg.norm(moved, axis=1) / np.linalg.norm(old, axis=1)
    assert cosines.min() > 1 - 1e-9
    code, _, _ = run("upgrade", tables / "old.npy", tables / "new.npy", "--out", path, "--method", "linear")
    assert code == 0, "a map of ours is replaced"


def test_json_and_queries(run, tables):
    for name in ("old", "new"):
        np.save(tables / f"{name}_queries.npy", np.load(tables / f"{name}.npy")[:30])
    code, out, err = run("upgrade", tables / "old.npy", tables / "new.npy", "--old-queries", tables / "old_queries.npy",
                         "--new-queries", tables / "new_queries.npy", "--json")  # fmt: skip
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["asked_by"], found["n_queries"]) == ("queries", 30)
    assert set(found["sources"]) == {"old", "new", "old_queries", "new_queries"}


def test_files_of_others_stay_and_questions_end_with_two(run, tables):
    path = tables / "mine.txt"
    path.write_text("mine")
    code, _, err = run("upgrade", tables / "old.npy", tables / "new.npy", "--out", path)
    assert (code, path.read_text()) == (2, "mine")
    assert "did not write it" in err
    np.save(tables / "few.npy", np.load(tables / "new.npy")[:200])
    code, _, err = run("upgrade", tables / "old.npy", tables / "few.npy")
    assert code == 2
    assert "--old-ids FILE" in err
