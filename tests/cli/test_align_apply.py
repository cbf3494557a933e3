"""simgauge gauge, apply and align: from one training to the next, on files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simgauge import Embedding, gauge_transform, random_gauge

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def trainings(tmp_path, rng):
    old = Embedding(
        rng.standard_normal((120, 6)), users=rng.standard_normal((90, 6)), item_ids=[f"i{row}" for row in range(120)]
    )
    old.save(tmp_path / "old")
    gauge_transform(old, random_gauge(6, 10.0)).save(tmp_path / "new")
    return tmp_path


def test_gauge_writes_vectors_and_map(run, trainings, rng):
    code, out, _ = run(
        "gauge", trainings / "old", "--power", "1", "--center", "users", "--out", trainings / "moved", "--json"
    )
    assert (code, json.loads(out)["metric"]) == (0, "cosine")
    moved = Embedding.load(trainings / "moved")
    old = Embedding.load(trainings / "old")
    np.save(trainings / "late.npy", old.items[:5])
    code, _, _ = run("apply", trainings / "moved", trainings / "late.npy", "--out", trainings / "late")
    assert code == 0
    np.testing.assert_allclose(Embedding.load(trainings / "late").items, moved.items[:5], atol=1e-12)


def test_apply_prints_code(run, trainings):
    run("gauge", trainings / "old", "--out", trainings / "moved")
    code, out, _ = run("apply", trainings / "moved", "--as", "numpy")
    assert code == 0
    assert "def to_space" in out
    for arguments, text in (
        (("--as", "onnx"), "needs --out"),
        (("--as", "cobol"), "needs --out"),
        ((), "pass the new vectors"),
    ):
        code, _, err = run("apply", trainings / "moved", *arguments)
        assert code == 2
        assert text in err


def test_align_brings_the_new_model_into_the_old_space(run, trainings):
    code, out, _ = run(
        "align",
        trainings / "old",
        trainings / "new",
        "--out",
        trainings / "aligned",
        "--old-out",
        trainings / "index",
        "--json",
    )
    found = json.loads(out)
    assert code == 0
    assert found["aligned"]["itself_first"] == 1.0
    assert found["as_trained"]["itself_first"] < 0.5
    aligned, index = Embedding.load(trainings / "aligned"), Embedding.load(trainings / "index")
    np.testing.assert_allclose(aligned.items, index.items, atol=1e-8)
    code, out, _ = run("align", trainings / "old", trainings / "new", "--method", "linear")
    assert code == 0
    assert "find themselves first" in out


def test_the_table_of_align_says_shares_as_shares_and_a_condition_number_as_a_number(run, trainings):
    """Control: the shares of the same table are percentages, with the digits of the headline."""
    code, out, _ = run("align", trainings / "old", trainings / "new")
    assert code == 0
    rows = {line.rsplit("  ", 1)[0].strip(): line.split()[-1] for line in out.splitlines() if "  " in line}
    assert rows["condition number of the map"] == "1"
    itself = next(line for line in out.splitlines() if line.startswith("new item vectors"))
    before, after = itself.split()[-2:]
    assert after.endswith("%")
    assert f"({before} as trained)" in out, "the table and the headline have the same digits"


def test_align_says_what_the_index_must_hold(run, trainings):
    """Control: as they are, the old vectors stay, and nothing must be written."""
    old, new = trainings / "old", trainings / "new"
    said = " ".join(run("align", old, new, "--out", trainings / "aligned")[1].split())
    assert "The index must hold the old model in that space too" in said
    assert "the map for vectors that come later" in said
    said = " ".join(run("align", old, new, "--old-out", trainings / "index")[1].split())
    assert "which is what the index must hold" in said
    assert "The index must hold" not in said
    said = run("align", old, new, "--as-is")[1]
    assert "index must hold" not in said


def test_a_wider_model_is_a_question_with_two_answers(run, trainings):
    old = Embedding.load(trainings / "old")
    Embedding(old.items[:, :4], users=old.users[:, :4], item_ids=old.item_ids).save(trainings / "narrow")
    code, _, err = run("align", trainings / "narrow", trainings / "old")
    assert code == 2
    assert "With --wider 'widen' the old model is filled up with 2 columns of zeros" in " ".join(err.split())
    for wider, width in (("widen", 6), ("truncate", 4)):
        out = trainings / wider
        assert run("align", trainings / "narrow", trainings / "old", "--wider", wider, "--out", out)[0] == 0
        assert Embedding.load(out).n_components == width


def test_users_without_ids_of_other_numbers_are_not_compared_and_it_is_said(run, trainings, rng):
    new = Embedding.load(trainings / "new")
    more = np.vstack([new.users, rng.standard_normal((3, 6))])
    Embedding(new.items, users=more, item_ids=new.item_ids).save(trainings / "grown")
    said = " ".join(run("align", trainings / "old", trainings / "grown")[1].split())
    assert "Users were not compared: pass the ids of the users of every model" in said
    (trainings / "ids.txt").write_text("\n".join(f"u{row}" for row in range(93)))
    np.save(trainings / "users.npy", more)
    np.save(trainings / "items.npy", new.items)
    options = []
    for side in ("old", "new"):
        options += [f"--{side}-ids", "positions", f"--{side}-users", trainings / "users.npy"]
        options += [f"--{side}-user-ids", trainings / "ids.txt"]
    said = " ".join(run("align", trainings / "items.npy", trainings / "items.npy", *options)[1].split())
    assert "find themselves first" in said
    assert "Users were not compared" not in said


@pytest.mark.parametrize(
    ("center", "said"),
    [
        ("none", "all dot products of users with items are kept"),
        ("items", "each user's ranking is kept and the scores are not"),
    ],
)
def test_gauge_says_in_a_sentence_what_it_keeps(run, trainings, center, said):
    code, out, _ = run("gauge", trainings / "old", "--center", center, "--out", trainings / f"kept_{center}")
    assert code == 0
    assert said in " ".join(out.split())


def test_apply_names_every_command_that_leaves_a_map(run, trainings):
    code, _, err = run("apply", trainings / "old", "--as", "sql")
    assert code == 2
    assert "pass a directory that simgauge gauge, fix or align wrote" in err
    assert "that gauge, fix or align wrote" in " ".join(run("apply", "--help")[1].replace("│", " ").split())
