"""simgauge preview and calibrate: what they print, on files."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def files(tmp_path, rng):
    turn = rng.uniform(0, np.pi, 150)
    table = np.zeros((300, 3))
    table[:150, 0], table[150:, 0], table[150:, 1] = 1.0, np.cos(turn), np.sin(turn)
    np.save(tmp_path / "v.npy", table + 0.001 * rng.standard_normal(table.shape))
    rows = "\n".join(f"{row},{row + 150},{int(angle < 1.2)}" for row, angle in enumerate(turn))
    (tmp_path / "pairs.csv").write_text(f"left,right,similar\n{rows}\n")
    return tmp_path


def test_preview_shows_every_form(run, files):
    code, out, _ = run("preview", files / "v.npy", "--dims", "2,1", "--precision", "float32,int8", "--json")
    found = json.loads(out)
    assert code == 0
    assert {(row["n_components"], row["precision"]) for row in found["rows"]} == {
        (size, kind) for size in (3, 2, 1) for kind in ("float32", "int8")
    }
    code, out, _ = run("preview", files / "v.npy", "--dims", "2", "--pairs", files / "pairs.csv", "--ids", "positions")
    assert code == 0
    assert "neighbours kept" in out
    assert run("preview", files / "v.npy", "--dims", "two")[0] == 2


def test_preview_asks_with_what_was_trained_on(run, files, rng):
    """One event a user is held out: only the training interactions can ask for it."""
    train = "".join(f"u{user},{item}\n" for user in range(40) for item in range(user, user + 6))
    (files / "train.csv").write_text(f"user,item\n{train}")
    (files / "test.csv").write_text("user,item\n" + "".join(f"u{user},{user + 6}\n" for user in range(40)))
    asked = ["preview", files / "v.npy", "--dims", "2", "--ids", "positions", "--held-out", files / "test.csv"]
    code, _, err = run(*asked)
    assert code == 2
    assert "--interactions FILE" in err
    code, out, err = run(*asked, "--interactions", files / "train.csv", "--json")
    found = json.loads(out)
    assert (code, found["measure"], found["notes"]) == (0, "recall@20", []), f"{err}"
    assert set(found["events"]) == {"interactions", "held_out"}
    code, out, _ = run("preview", files / "v.npy", "--ids", "positions", "--held-out", files / "train.csv")
    assert code == 0
    assert "evidence: without the training interactions (--interactions, interactions=)" in out


def test_calibrate_says_which_cosine_is_similar(run, files):
    code, out, _ = run("calibrate", files / "v.npy", "--pairs", files / "pairs.csv", "--out", files / "map.json")
    assert code == 0
    assert "more likely similar than not" in out
    steps = json.loads((files / "map.json").read_text())["map"]
    half = next(step["cosine"] for step in steps if step["probability"] >= 0.5)
    assert abs(half - np.cos(1.2)) < 0.1
    code, _, err = run("calibrate", files / "v.npy", "--pairs", files / "none.csv")
    assert code == 2
    assert "none.csv" in err
