"""A project's defaults: found upward, told, refused where they are no options, and second to what is typed."""

from __future__ import annotations

import json

import numpy as np
import pytest
import typer.main

from simgauge.cli.app import app
from simgauge.cli.settings import find_settings, in_words, read_settings
from simgauge.errors import InputError

COMMANDS = typer.main.get_command(app).commands


@pytest.fixture
def project(tmp_path, monkeypatch, rng):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    np.save(tmp_path / "v.npy", rng.standard_normal((40, 4)))
    (tmp_path / "names.txt").write_text("".join(f"film {n}\n" for n in range(40)))
    monkeypatch.chdir(tmp_path / "deep" / "er")

    def write(text):
        (tmp_path / "simgauge.toml").write_text(text)
        return tmp_path

    return write


def k_of(text):
    return json.loads(text)["parameters"]["k"]


def test_defaults_are_found_upward_told_and_second_to_what_is_typed(run, project):
    top = project('seed = 7\nnames = "names.txt"\n[audit]\nk = 4\n')
    code, text, err = run("audit", top / "v.npy", "--json")
    assert (code, err) == (0, ""), f"{err}"
    told = json.loads(text)
    assert (told["parameters"]["k"], told["parameters"]["seed"]) == (4, 7)
    assert told["settings"] == {
        "file": str(top / "simgauge.toml"),
        "used": {"--names": str(top / "names.txt"), "-k": 4, "--seed": 7},
    }
    assert k_of(run("audit", top / "v.npy", "-k", 6, "--json")[1]) == 6
    _, text, err = run("audit", top / "v.npy", "-k", 6)
    assert f"note: defaults from {top}/simgauge.toml: --names {top}/names.txt, --seed 7" in err
    assert "-k" not in err.split("\n")[0], "control: what was typed is no default"


def test_the_nearest_file_counts_and_none_can_be_asked_for(run, project, tmp_path):
    top = project("[audit]\nk = 4\n")
    (tmp_path / "deep" / "simgauge.toml").write_text("[audit]\nk = 5\n")
    assert find_settings(tmp_path / "deep" / "er") == tmp_path / "deep" / "simgauge.toml"
    assert k_of(run("audit", top / "v.npy", "--json")[1]) == 5
    assert k_of(run("--config", top / "simgauge.toml", "audit", top / "v.npy", "--json")[1]) == 4
    plain = json.loads(run("--config", "none", "audit", top / "v.npy", "--json")[1])
    assert plain["parameters"]["k"] == 10
    assert "settings" not in plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[audit]\nkk = 3", r"kk is no option of \[audit\]. Did you mean k\?"),
        ("[adit]\nk = 3", r"\[adit\] is no option. Did you mean \[audit\]\?"),
        ("sead = 3", "sead is no option. Did you mean seed"),
        ('[audit]\nitems = "a.npy"', "items is no option"),
        ('[audit]\nk = "three"', "k = 'three': expected a whole number"),
        ("[audit]\nk = true", "expected a whole number"),
        ("[audit]\nall = 1", "expected true or false"),
        ('[gauge]\ncenter = "itms"', "expected one of 'none', 'items', 'users', 'both'"),
        ("[audit]\nk = [3]", "expected a whole number"),
        ("k = ", "is no TOML"),
    ],
)
def test_what_is_no_option_is_refused(run, project, text, message):
    top = project(text)
    with pytest.raises(InputError, match=message):
        read_settings(top / "simgauge.toml", COMMANDS)
    code, _, err = run("audit", top / "v.npy")
    assert code == 2
    assert str(top / "simgauge.toml") in err


def test_options_of_every_kind_are_taken(project):
    top = project('nouns = "films,viewers"\n[fix]\nshow = ["a", "b"]\nmax_loss = 0\nout = "fixed"\nmetric = "recall"\n'
                  '[export]\nto = "duckdb:v.db"\n[check]\nfail-on = "warn"\n')  # fmt: skip
    found = read_settings(top / "simgauge.toml", COMMANDS).by_command
    assert found["fix"] == {"nouns": "films,viewers", "show": ["a", "b"], "max_loss": 0, "out": str(top / "fixed"),
                            "metric": "recall"}  # fmt: skip
    assert found["export"]["to"] == "duckdb:v.db", "an address stays"
    assert found["check"]["fail_on"] == "warn"


def test_a_required_option_may_come_from_the_file(run, project):
    top = project('[gauge]\nout = "moved"\npower = 0\n')
    code, _, err = run("gauge", top / "v.npy")
    assert code == 0, f"{err}"
    assert (top / "moved").is_dir()


def test_bare_program_and_help_need_no_file(run, project):
    project("nonsense = 1")
    assert run()[0] == 0
    assert run("--help")[0] == 0


def test_switches_are_told_as_they_are_typed():
    assert list(in_words({"--show": ["a", "b"], "--verify": False})) == ["--show a b", "--no-verify"]
