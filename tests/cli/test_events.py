"""Options of reading events are the same in every command, and what was understood is told: on stderr, or in the
JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simgauge.embedding import Embedding


@pytest.fixture
def ratings(tmp_path, rng):
    own = rng.integers(0, 4, 80)[:, None] == rng.integers(0, 4, 30)[None]
    users, items = np.nonzero(rng.random((80, 30)) < np.where(own, 0.6, 0.05))
    lines = [f"{u};{10 * i};{1 + (u * i) % 5};x" for u, i in zip(users, items, strict=True)]
    path = tmp_path / "ratings.csv"
    path.write_text("user;item;rating;note\n" + "\n".join(lines) + "\n")
    return path


def test_fit_audit_and_fix_tell_what_they_understood(run, ratings, tmp_path):
    code, _, err = run("fit", ratings, "--n-components", 5, "--out", tmp_path / "m")
    assert code == 0
    for said in ("weight: 'rating', 1 to 5", "first row: user", "columns not used: note ('x')", "--like '>=4'"):
        assert said in err
    code, out, err = run("audit", tmp_path / "m", "--interactions", ratings, "-k", 3, "--json")
    assert (code, err) == (0, "")
    parameters = json.loads(out)["parameters"]
    assert parameters["ids"]["alignment"]["fits"]
    assert parameters["interactions"]["items"] == 30
    assert any("columns not used" in sentence for sentence in parameters["interactions"]["sentences"])
    _, out, err = run(
        "fix", tmp_path / "m", "--held-out", ratings, "--like", ">=3", "--at", 3, "--out", tmp_path / "f", "--json"
    )
    assert "counted:" in json.loads(out)["events"]["held_out"]["sentences"][0]


def test_options_of_reading_reach_every_command(run, ratings, tmp_path):
    model = tmp_path / "m"
    code, _, _ = run(
        "fit", ratings, "--like", ">=4", "--delimiter", ";", "--header", "--id-type", "text", "--out", model
    )
    assert code == 0
    assert Embedding.load(model).item_ids.dtype == object
    code, _, err = run("audit", model, "--interactions", ratings, "--delimiter", ",", "-k", 3)
    assert code == 2
    assert "--user" in err
    code, _, err = run("fit", ratings, "--duplicates", "median", "--out", tmp_path / "x")
    assert (code, "--duplicates 'median'" in err) == (2, True)
    code, out, _ = run(
        "fit", ratings, "--weight-transform", "log1p", "--time", "note", "--out", tmp_path / "t", "--json"
    )
    assert json.loads(out)["read"]["weight_transform"] == "log1p"


def test_row_numbers_stop_and_positions_go_on(run, ratings, tmp_path):
    run("fit", ratings, "--n-components", 5, "--out", tmp_path / "m")
    np.save(tmp_path / "items.npy", Embedding.load(tmp_path / "m").items)
    code, _, err = run("audit", tmp_path / "items.npy", "--interactions", ratings, "-k", 3)
    assert code == 2
    assert "--ids positions" in err
    code, _, err = run("audit", tmp_path / "items.npy", "--ids", "positions", "--interactions", ratings, "-k", 3)
    assert code in (0, 2), "positions are taken, and the test of alignment judges them"
    assert "are numbered 0 to" not in err
