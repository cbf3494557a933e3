"""simgauge export and check: what they print, and their exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from simgauge import Embedding
from stores.places import need

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


def test_a_saved_folder_is_said_as_it_was_understood_and_files_have_no_table(run, tmp_path, rng):
    Embedding(rng.standard_normal((30, 4))).save(tmp_path / "model")
    code, out, err = run("export", tmp_path / "model", "--to", f"npy:{tmp_path / 'v.npy'}")
    assert code == 0
    assert "note: items: 30 rows x 4 components (float64) from the saved embedding of model" in err
    assert not [line for line in out.splitlines() if line.startswith("table")]
    code, out, err = run("export", tmp_path / "model", "--to", f"duckdb:{tmp_path / 'v.db'}")
    assert [line.split() for line in out.splitlines() if line.startswith("table")] == [["table", "items"]]
    code, out, err = run("export", tmp_path / "model", "--to", f"npy:{tmp_path / 'w.npy'}", "--table", "shop")
    assert (code, out) == (2, "")
    assert "holds one table, which has no name: leave out --table" in err
    assert not (tmp_path / "w.npy").exists()
    code, out, err = run("export", tmp_path / "model", "--to", f"npy:{tmp_path / 'w.npy'}", "--json")
    assert (code, err, json.loads(out)["table"]) == (0, "", None)


@pytest.mark.stores
def test_lancedb_has_nothing_to_say_of_its_own(tmp_path):
    """Its engine writes warnings to the process's stderr, past Python."""
    need("lancedb")
    np.save(tmp_path / "model.npy", np.eye(12))
    command = [sys.executable, "-m", "simgauge", "export", tmp_path / "model.npy", "--to", f"lancedb:{tmp_path / 'v'}"]
    for _ in range(2):
        said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
        assert [line for line in said.splitlines() if not line.startswith("note: ")] == []
