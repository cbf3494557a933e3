"""simgauge evaluate: tables, JSON, several models and seeds, and what it asks for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kinds_problems import IDS, model, walk

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def files(tmp_path, rng):
    for name, noise, seed in (("a", 0.4, 0), ("a2", 0.4, 1), ("b", 2.0, 2)):
        np.save(tmp_path / f"{name}.npy", model(noise, seed, users=40).items)
        np.save(tmp_path / f"{name}_users.npy", model(noise, seed, users=40).users)
    (tmp_path / "ids.txt").write_text("\n".join(IDS) + "\n")
    sessions, items, times = walk(40, 8, rng)
    lines = [f"{s},{i},{t}" for s, i, t in zip(sessions, items, times % 1e5, strict=True)]
    (tmp_path / "events.csv").write_text("user_id,item_id,timestamp\n" + "\n".join(lines) + "\n")
    return tmp_path


def test_models_side_by_side(run, files):
    words = [files / "a.npy", f"bad={files / 'b.npy'}", "--ids", files / "ids.txt", "--sessions", files / "events.csv"]
    code, out, err = run("evaluate", *words, "--json")
    assert code == 0, f"{err}"
    found = json.loads(out)
    assert found["models"] == {"a.npy": 1, "bad": 1}
    assert [(row["model"], row["metric"]) for row in found["rows"]] == [
        ("a.npy", "cosine"), ("a.npy", "dot"), ("bad", "cosine"), ("bad", "dot")]  # fmt: skip
    assert found["rows"][2]["change"]["verdict"] == "worse"
    assert set(found["sources"]) == {str(files / "a.npy"), f"bad={files / 'b.npy'}"}
    code, out, _ = run("evaluate", *words, "--by", "cosine")
    assert code == 0
    for word in ("recall@20", "coverage", "Gini", "novelty", "against the first", "weighted at 0.5", "40 sessions"):
        assert word in " ".join(out.split()), f"{word}"
    assert "evidence: no time was given from which on" in out


def test_files_of_one_name_are_seeds_of_one_model(run, files):
    words = [f"a={files / 'a.npy'}", f"a={files / 'a2.npy'}", "--ids", files / "ids.txt", "--sessions",
             files / "events.csv", "--by", "cosine"]  # fmt: skip
    code, out, err = run("evaluate", *words, "--json")
    assert code == 0, f"{err}"
    found = json.loads(out)
    assert found["models"] == {"a": 2}
    assert len(found["rows"][0]["seed_values"]) == 2
    assert "means of up to 2 seeds" in " ".join(run("evaluate", *words)[1].split())


def test_items_users_and_similar_users_from_one_file_cut_by_time(run, files):
    tables = [files / "a.npy", "--users", files / "a_users.npy", "--ids", files / "ids.txt", "--user-ids", "positions"]
    asked = ["--interactions", files / "events.csv", "--split", "user:0.3", "--ask", "items,users,similar-users"]
    code, out, err = run("evaluate", *tables, *asked, "--trust-ids", "--json")
    assert code == 0, f"{err}"
    measures = {row["measure"] for row in json.loads(out)["rows"]}
    assert measures == {"recall@20", "recall@20 for users", "recall@20 of similar users"}
    assert json.loads(out)["events"]["held_out"]["pairs"] > 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "evaluate needs evidence: pass --held-out"),
        (["--sessions", "events.csv", "--by", "euclid"], "expected one of 'cosine', 'dot'"),
        (["--sessions", "events.csv", "--ask", "items,users"], "goes with --held-out or --split"),
        (["--sessions", "events.csv", "--ask", "nobody"], "expected one of 'items', 'users', 'similar-users'"),
        (["--sessions", "events.csv", "--users", "a_users.npy", "--users", "a_users.npy"], "2 files for 1 models"),
        (["--sessions", "none.csv"], "none.csv"),
    ],
)
def test_what_is_asked_for(run, files, words, said):
    words = [str(files / word) if word.endswith((".csv", ".npy")) else word for word in words]
    code, _, err = run("evaluate", files / "a.npy", "--ids", files / "ids.txt", *words)
    assert code == 2
    assert said in " ".join(err.split())
