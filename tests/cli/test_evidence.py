"""The options of evidence: every kind from its file, in every command that asks evidence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from kinds_problems import CLUSTER, IDS, N_ITEMS, model, walk

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def files(tmp_path, rng):
    """A model of sixty items and eighty users, and a file of each kind of evidence."""
    embedding = model(0.4, users=80)
    np.save(tmp_path / "items.npy", embedding.items)
    np.save(tmp_path / "users.npy", embedding.users)
    (tmp_path / "ids.txt").write_text("\n".join(IDS) + "\n")
    sessions = [f"{s},{i},{t}" for s, i, t in zip(*walk(40, 6, rng), strict=True)]
    left, right = rng.integers(0, N_ITEMS, (2, 400))
    near = CLUSTER[left] == CLUSTER[right]
    pairs = [(IDS[a], IDS[b]) for a, b in zip(left[near], right[near], strict=True) if a != b]
    home = np.arange(80) % 6
    orders = [rng.permutation(np.flatnonzero(home[u] == CLUSTER)) for u in range(80)]
    used, later = ([(u, n) for u in range(80) for n in orders[u][part]] for part in (slice(6), slice(6, None)))
    shown = [(u, n) for u in range(80) for n in rng.choice(N_ITEMS, 8, replace=False)]
    tables = {
        "sessions": ("session_id,item_id,timestamp", sessions),
        "together": ("one,other", [f"{a},{b}" for a, b in pairs]),
        "clicks": ("asked,clicked,position", [f"{a},{b},{1 + n % 5}" for n, (a, b) in enumerate(pairs)]),
        "train": ("user,item,time", [f"{u},{IDS[n]},{100 + at}" for at, (u, n) in enumerate(used)]),
        "shown": ("user,item,taken", [f"{u},{IDS[n]},{int(home[u] == CLUSTER[n])}" for u, n in shown]),
        "later": ("user,item", [f"{u},{IDS[n]}" for u, n in later]),
    }
    for name, (head, lines) in tables.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *lines]) + "\n")
    return tmp_path


KINDS = {
    "sessions": (["--sessions", "sessions.csv"], "recall@20", "session"),
    "together": (["--together", "together.csv", "--at", "9"], "recall@9", "pair"),
    "clicks": (["--clicks", "clicks.csv", "--propensity", "0.5"], "recall@20", "item"),
    "shown": (["--shown", "shown.csv", "--interactions", "train.csv"], "auc within users", "user"),
    "held out": (["--held-out", "later.csv", "--interactions", "train.csv", "--metric", "ndcg"], "ndcg@20", "user"),
    "split": (["--interactions", "train.csv", "--split", "user:0.3"], "recall@20", "user"),
}


def asked(files, kind):
    return [str(files / word) if word.endswith(".csv") else word for word in KINDS[kind][0]]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_in_fix(run, files, kind):
    ids = ["--ids", files / "ids.txt", "--trust-ids", "--out", files / "out", "--json"]
    code, out, err = run("fix", files / "items.npy", *ids, *asked(files, kind))
    assert code == 0, f"{err}"
    found = json.loads(out)["evidence"]
    assert (found["measure"], found["unit"]) == KINDS[kind][1:]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_in_preview(run, files, kind):
    code, out, err = run(
        "preview", files / "items.npy", "--ids", files / "ids.txt", "--dims", "3", *asked(files, kind), "--json"
    )
    assert code == 0, f"{err}"
    found = json.loads(out)
    assert found["measure"] == KINDS[kind][1]
    assert 0 < found["rows"][0]["evidence"]["value"] <= 1


def test_users_are_asked(run, files):
    tables = [
        files / "items.npy",
        "--ids",
        files / "ids.txt",
        "--users",
        files / "users.npy",
        "--user-ids",
        "positions",
    ]
    code, out, err = run("fix", *tables, *asked(files, "held out"), "--ask", "users", "--out", files / "out", "--json")
    assert code == 0, f"{err}"
    assert json.loads(out)["evidence"]["measure"] == "ndcg@20 for users"
    code, _, err = run("fix", files / "items.npy", "--ids", files / "ids.txt", *asked(files, "held out"), "--ask",
                       "users", "--out", files / "out")  # fmt: skip
    assert code == 2
    assert "--users FILE" in err


def test_what_was_read_is_told(run, files):
    _, _, err = run("preview", files / "items.npy", "--ids", files / "ids.txt", *asked(files, "sessions"))
    assert "evidence: 240 rows of sessions.csv: session from 'session_id', item from 'item_id', time from" in err
    _, _, err = run("preview", files / "items.npy", "--ids", files / "ids.txt", *asked(files, "split"))
    assert "split: cut by time (the latest 30% of every user's items)" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--split", "0.2"], "--split cuts the events of --interactions"),
        (["--interactions", "train.csv", "--split", "0.2", "--held-out", "later.csv"], "and no --held-out"),
        (["--interactions", "train.csv", "--split", "soon"], "--split 'soon': expected a number"),
        (["--interactions", "later.csv", "--split", "0.2"], "name the column of the times (--time"),
        (["--sessions", "sessions.csv", "--after", "soon"], "--after 'soon': expected a number"),
        (["--sessions", "sessions.csv", "--clicks", "clicks.csv"], "--sessions and --clicks: pass one kind"),
        (["--together", "together.csv", "--after", "5"], "--after 5.0 has no meaning for evidence from --together"),
        (["--shown", "shown.csv"], "--interactions FILE"),
        (["--clicks", "clicks.csv", "--ask", "users"], "goes with --held-out"),
        (["--held-out", "later.csv", "--ask", "queries"], "--ask 'queries': expected one of"),
        (["--clicks", "clicks.csv", "--metric", "auc"], "--metric 'auc': expected one of 'recall', 'ndcg', 'mrr'"),
    ],
)
def test_what_does_not_go_together_is_told(run, files, words, said):
    words = [str(files / word) if word.endswith(".csv") else word for word in words]
    code, _, err = run("preview", files / "items.npy", "--ids", files / "ids.txt", *words)
    assert code == 2
    assert said in " ".join(err.split())
