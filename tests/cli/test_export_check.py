"""simgauge export and check: what they print, and their exit codes."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def vectors(tmp_path, rng):
    np.save(tmp_path / "v.npy", rng.standard_normal((60, 4)))
    return str(tmp_path / "v.npy")


def test_an_export_is_verified_and_says_the_query(run, tmp_path, vectors):
    code, out, err = run("export", vectors, "--to", f"duckdb:{tmp_path / 'v.db'}", "--json")
    assert code == 0, f"{err}"
    found = json.loads(out)
    assert found["verified"] is True
    assert "array_cosine_similarity" in found["recipe"]
    code, out, _ = run("export", vectors, "--to", f"duckdb:{tmp_path / 'v.db'}")
    assert code == 0
    assert "ORDER BY score DESC" in out
    code, out, _ = run("check", f"duckdb:{tmp_path / 'v.db'}", "--json")
    assert (code, json.loads(out)["verdict"]) == (0, "ok")


def test_what_is_wrong_is_said_with_exit_code_one(run, tmp_path, rng):
    faiss = pytest.importorskip("faiss")
    index = faiss.IndexFlatIP(16)
    index.add((rng.standard_normal((300, 16)) * np.linspace(0.1, 9, 300)[:, None]).astype(np.float32))
    faiss.write_index(index, str(tmp_path / "v.faiss"))
    code, out, _ = run("check", f"faiss:{tmp_path / 'v.faiss'}", "--fail-on", "fail")
    assert code == 1
    assert "What to do" in out
    assert run("check", f"faiss:{tmp_path / 'v.faiss'}")[0] == 0


def test_bad_targets_are_one_message(run, tmp_path, vectors):
    for arguments, text in (
        (("export", vectors, "--to", "nowhere:x"), "names no target"),
        (("export", vectors, "--to", "postgresql://nobody@127.0.0.1:1/x"), "cannot be reached"),
        (("check", f"duckdb:{tmp_path / 'none.db'}"), "does not exist"),
        (("check", f"duckdb:{tmp_path / 'none.db'}", "--expect", "euclid"), "--expect 'euclid'"),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert text in err
        assert "Traceback" not in err
