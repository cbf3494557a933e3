"""The command line: exit codes, JSON that parses, messages one can act on, the same defaults as the library."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys

import numpy as np
import pytest

from problems import sparse_counts, two_tables
from simgauge import Embedding, LinearAutoencoder, audit
from simgauge.cli.app import app
from simgauge.selection import fix as simgauge_fix


@pytest.fixture
def saved(rng, tmp_path):
    P, Q = two_tables(rng, 80, 60, 6)
    names = ["<script>", "[bold]x[/bold]", "مرحبا", "line\nbreak", *(f"item {i}" for i in range(56))]
    return Embedding(Q, P, item_names=names).save(tmp_path / "embedding")


@pytest.fixture
def csv(rng, tmp_path):
    X = sparse_counts(rng).tocoo()
    path = tmp_path / "events.csv"
    rows = [f"u{u},i{i},{w:g}" for u, i, w in zip(X.row, X.col, X.data, strict=True)]
    path.write_text("user_id,item_id,rating\n" + "\n".join(rows) + "\n")
    return path


def test_fit_audit_neighbors_one_after_the_other(run, csv, tmp_path):
    out = tmp_path / "model"
    code, text, _ = run("fit", csv, "--n-components", 6, "--penalty", "factors", "--out", out)
    assert code == 0, f"{text}"
    assert Embedding.load(out).n_components == 6
    code, text, _ = run("audit", out, "-k", 3, "--json")
    assert code == 0
    assert json.loads(text)["parameters"]["objective"] == "factors"
    code, text, _ = run("neighbors", out, "i3", "-k", 3, "--compare")
    assert code == 0
    assert "Largest difference between the predictions" in text
    assert "projected back" in text


def test_neighbors_of_users_and_of_items_near_a_user(run, saved):
    code, text, _ = run("neighbors", saved, "7", "-k", 3, "--of", "users", "--compare")
    assert code == 0
    assert "Users similar to 7" in text
    code, text, _ = run("neighbors", saved, "7", "-k", 3, "--of", "user-items", "--metric", "dot", "--json")
    assert json.loads(text)["of"] == "user-items"
    assert len(json.loads(text)["items"][0]["gauges"][0]["neighbors"]) == 3
    assert run("neighbors", saved, "7", "--of", "usres")[0] == 2


@pytest.mark.parametrize("penalty", ["product", "factors", "weights", "dropout"])
def test_every_penalty_fits_from_the_command_line(run, csv, tmp_path, penalty):
    code, text, _ = run("fit", csv, "--n-components", 4, "--penalty", penalty, "--out", tmp_path / "m", "--json")
    assert code == 0
    assert json.loads(text)["model"]["objective"] == penalty


def test_audit_writes_a_report_and_says_so(run, saved, tmp_path):
    code, text, _ = run("audit", saved, "-k", 5, "--objective", "softmax", "--out", tmp_path / "report")
    assert code == 0
    assert text.startswith("In part: some of what these cosines say was never determined by the model. (verdict: warn)")
    assert f"{tmp_path / 'report' / 'report.html'} has them all" in text
    assert json.loads((tmp_path / "report" / "audit.json").read_text())["schema_version"] == 1
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("<script") == 2, "names of items are no markup"
    assert 'id="explorer"' in page
    run("audit", saved, "-k", 5, "--objective", "softmax", "--out", tmp_path / "report", "--no-names")
    unnamed = (tmp_path / "report" / "report.html").read_text()
    assert "مرحبا" in page
    assert "مرحبا" not in unnamed


def test_fail_on_sets_the_exit_code(run, saved, tmp_path):
    strict = tmp_path / "strict.toml"
    strict.write_text("[norm_spread]\nwarn = 0.0\n")
    assert run("audit", saved, "-k", 5, "--fail-on", "warn", "--thresholds", strict)[0] == 1
    assert run("audit", saved, "-k", 5, "--fail-on", "fail", "--thresholds", strict)[0] == 0
    assert run("audit", saved, "-k", 5, "--fail-on", "never")[0] == 2


def test_same_seed_same_json(run, saved):
    assert run("audit", saved, "-k", 5, "--json")[1] == run("audit", saved, "-k", 5, "--json")[1]


def test_names_are_never_markup(run, saved):
    code, text, _ = run("neighbors", saved, "[bold]x[/bold]", "<script>", "مرحبا", "-k", 3)
    assert code == 0
    assert "[bold]x[/bold]" in text


def test_fix_chooses_by_evidence_and_writes_vectors_map_and_record(run, saved, tmp_path, rng):
    labels = tmp_path / "labels.csv"
    embedding = Embedding.load(saved)
    group = (embedding.items[:, 0] > np.median(embedding.items[:, 0])).astype(int)
    labels.write_text("id,label\n" + "\n".join(f"{i},{g}" for i, g in enumerate(group)) + "\n")
    out = tmp_path / "fixed"
    code, text, err = run("fix", saved, "--labels", labels, "--out", out, "--show", "item 3")
    assert code == 0, f"{err}"
    record = json.loads((out / "selection.json").read_text())
    assert record["decision"] in ("improved", "left alone")
    assert "selection" in Embedding.load(out).provenance
    assert (out / "map.safetensors").is_file()
    assert "Similar to" in (out / "report.html").read_text()
    assert f"{out / 'report.html'} shows it" in " ".join(text.split())
    assert "before" in text
    assert run("fix", saved, "--labels", labels, "--out", out, "--no-report")[0] == 0
    assert not (out / "report.html").exists()
    code, text, _ = run("fix", saved, "--out", tmp_path / "default", "--objective", "softmax")
    assert code == 0
    assert "default, not a finding" in text


def test_fix_says_that_nothing_tells_whether_held_out_events_are_new(run, csv, tmp_path):
    run("fit", csv, "--n-components", 6, "--out", tmp_path / "m")
    text = "it could not be checked that the held-out events are new to the model"
    code, out, err = run("fix", tmp_path / "m", "--held-out", csv, "--at", 3, "--out", tmp_path / "a")
    assert code == 0, f"{err}"
    assert f"evidence: without the training interactions (--interactions, interactions=) {text}" in out
    assert text in json.loads((tmp_path / "a" / "selection.json").read_text())["evidence"]["notes"][0]
    told = json.loads(run("fix", tmp_path / "m", "--held-out", csv, "--at", 3, "--out", tmp_path / "b", "--json")[1])
    assert text in told["evidence"]["notes"][0]
    code, _, err = run("fix", tmp_path / "m", "--held-out", csv, "--interactions", csv, "--out", tmp_path / "c")
    assert code == 2, "control: with them it is checked"
    assert "held-out pair is new" in err


def test_fix_names_zero_vectors_on_the_terminal_and_in_json(run, tmp_path, rng):
    items = rng.standard_normal((30, 3))
    items[7] = 0
    saved = Embedding(items, item_names=[f"item {i}" for i in range(30)]).save(tmp_path / "embedding")
    code, text, _ = run("fix", saved, "--out", tmp_path / "a")
    assert code == 0
    assert "1 item has a zero vector ('item 7')" in text
    told = json.loads(run("fix", saved, "--out", tmp_path / "b", "--json")[1])
    assert told["zero_vectors"]["named"] == ["item 7"]
    assert not Embedding.load(tmp_path / "b").items[7].any()


def test_fix_by_held_out_interactions_with_training(run, csv, tmp_path):
    lines = csv.read_text().splitlines()
    rng = np.random.default_rng(0)
    later = rng.random(len(lines) - 1) < 0.3
    for name, keep in (("train", ~later), ("later", later)):
        rows = [line for line, kept in zip(lines[1:], keep, strict=True) if kept]
        (tmp_path / f"{name}.csv").write_text("\n".join([lines[0], *rows]) + "\n")
    assert run("fit", tmp_path / "train.csv", "--n-components", 5, "--out", tmp_path / "m")[0] == 0
    code, text, err = run("fix", tmp_path / "m", "--held-out", tmp_path / "later.csv", "--interactions",
                          tmp_path / "train.csv", "--out", tmp_path / "f", "--at", 5, "--json")  # fmt: skip
    assert code == 0, f"{err}"
    record = json.loads(text)
    assert record["evidence"]["measure"] == "recall@5"
    assert any(row["name"].startswith("refit") for row in record["table"])


def test_compare_finds_one_model_in_two_gauges(run, saved, tmp_path):
    from simgauge import gauge_transform, random_gauge

    moved = gauge_transform(Embedding.load(saved), random_gauge(6, 10.0)).save(tmp_path / "moved")
    code, text, _ = run("compare", saved, moved, "-k", 5)
    assert code == 0
    assert "one model in two gauges" in text
    report = tmp_path / "compared.html"
    assert run("compare", saved, moved, "-k", 5, "--report", report)[0] == 0
    assert "One model in two gauges" in report.read_text()
    report.write_text("mine")
    assert run("compare", saved, moved, "-k", 5, "--report", report)[0] == 2
    assert report.read_text() == "mine"
    code, text, _ = run("compare", saved, moved, "-k", 5, "--json")
    assert json.loads(text)["canonical_agreement"] > 0.999


def test_reproduce_small(run, tmp_path):
    code, text, _ = run("reproduce", "--out", tmp_path / "r", "--n-users", 300, "--n-items", 40, "--n-clusters", 3,
                        "--n-components", 8, "--l2-product", 30, "--l2-factors", 3, "--n-seeds", 2)  # fmt: skip
    assert code == 0
    assert "AUC" in text
    assert "2 data sets: mean ± half the spread" in text
    assert sorted(p.name for p in (tmp_path / "r").iterdir()) == [
        "heatmaps.png", "heatmaps.svg", "report.html", "reproduction.json", "table.md"]  # fmt: skip


def test_reproduce_all_shows_every_statement(run, tmp_path):
    out = tmp_path / "r"
    code, text, err = run("reproduce", "--all", "--out", out, "--n-users", 300, "--n-items", 40, "--n-clusters", 3,
                          "--n-components", 6, "--l2-product", 30, "--l2-factors", 5, "--n-seeds", 1)  # fmt: skip
    assert code == 0, f"{err}"
    assert "eq-1: The first objective" in text
    found = json.loads((out / "statements.json").read_text())["statements"]
    assert all(row["holds"] is not False for row in found)
    assert (out / "statements.md").read_text().startswith("# The paper, executable")
    assert run("reproduce", "--out", out, "--n-users", 50, "--n-items", 20, "--power-law", "pareto")[0] == 2
    code, text, _ = run("reproduce", "--out", tmp_path / "one", "--n-users", 60, "--n-items", 20, "--n-clusters", 2,
                        "--n-components", 4, "--l2-product", 5, "--l2-factors", 1, "--n-seeds", 1)  # fmt: skip
    assert (code, "±" in text) == (0, False), "one data set has no spread"
    assert run("reproduce", "--out", out, "--n-users", 60, "--n-items", 20, "--n-clusters", 2, "--n-components", 4,
               "--n-seeds", 1)[0] == 0  # fmt: skip
    assert not (out / "statements.json").exists()  # of another run: they would not belong to the new numbers


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["audit", "missing.npy"], "missing.npy"),
        (["audit", "SAVED", "-k", "500"], "expected 1 to 59"),
        (["audit", "SAVED", "--objective", "magic"], "expected one of"),
        (["neighbors", "SAVED", "nobody"], "no item is called"),
        (["neighbors", "SAVED", "item 3", "--metric", "euclidean"], "metric"),
        (["fit", "CSV", "--user", "userr", "--item", "item_id", "--out", "x"], "userr"),
        (["fit", "CSV", "--l2", "-1", "--out", "x"], "expected a finite number >= 0"),
        (["fit", "CSV", "--n-components", "5000", "--out", "x"], "expected an integer from 1 to"),
        (["fix", "SAVED", "--labels", "CSV", "--pairs", "CSV", "--out", "x"], "one kind of evidence"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_two(run, saved, csv, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    given = [{"SAVED": str(saved), "CSV": str(csv)}.get(part, part) for part in arguments]
    code, out, err = run(*given)
    assert code == 2
    messages = [line for line in err.splitlines() if not line.startswith("note: ")]  # what was read before the error
    assert messages[0].startswith("error:")
    assert text in err
    assert "Traceback" not in out + err
    assert not (tmp_path / "x").exists()


def test_every_command_has_help_and_documented_options(run):
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        code, text, _ = run(name, "--help")
        assert code == 0
        assert command.callback.__doc__.splitlines()[0].rstrip(".")[:40] in " ".join(text.split())
    assert run("--version")[1].startswith("simgauge ")
    assert run("nonsense")[0] == 2


def test_defaults_are_those_of_the_library():
    def defaults(function, names):
        """A command takes a seed, the function behind it a seed or a generator, which is why the names differ."""
        parameters = inspect.signature(function).parameters
        return {name: (parameters.get(name) or parameters["rng"]).default for name in names}

    from simgauge.cli.audit import audit as audit_command
    from simgauge.cli.fit import fit
    from simgauge.cli.fix import fix

    shared = ["objective", "k", "sample", "seed"]
    assert defaults(audit_command, shared) == defaults(audit, shared)
    model = ["n_components", "penalty", "l2", "rate", "solver"]
    assert defaults(fit, model) == defaults(LinearAutoencoder, model)
    choice = ["max_loss", "seed", "aim", "popularity_exponent", "popularity_tradeoff"]
    assert defaults(fix, choice) == defaults(simgauge_fix, choice)


def test_the_installed_command_works_and_is_quiet_when_piped(tmp_path, saved):
    done = subprocess.run([sys.executable, "-m", "simgauge", "audit", str(saved), "-k", "3", "--json"],
                          capture_output=True, text=True, check=True, cwd=tmp_path)  # fmt: skip
    assert done.stderr == ""
    json.loads(done.stdout)


def test_what_is_known_of_the_training_can_be_said(run, saved):
    def group(*options):
        code, text, _ = run("audit", saved, "-k", 5, "--json", *options)
        assert code == 0
        return next(f for f in json.loads(text)["findings"] if f["id"] == "identifiability")["details"]

    assert group("--objective", "word2vec")["shifts"] == "none"
    assert group("--objective", "word2vec", "--biases", "items")["shifts"] == "users"
    assert group("--objective", "softmax", "--biases", "items")["shifts"] == "both"
    assert group("--objective", "softmax", "--penalty", "factors")["gauge_group"] == "O(k)"
    for options, near in (
        (("--objective", "sofmax"), "softmax"),
        (("--biases", "item"), "items"),
        (("--penalty", "factor"), "factors"),
    ):
        code, _, message = run("audit", saved, "-k", 5, *options)
        assert code == 2
        assert f"Did you mean '{near}'" in message
