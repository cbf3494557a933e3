"""Files of commands: one of ours is replaced, anything else of that name stays."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from simgauge.cli.app import app
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.shipping.export import export
from simgauge.storage.own_file import write_own_file


@pytest.mark.parametrize("content", ["mine", b"mine"])
def test_a_file_without_the_signs_stays(tmp_path, content):
    path = tmp_path / "a"
    path.write_text("another's")
    with pytest.raises(InputError, match="simgauge did not write it"):
        write_own_file(path, content, [b"mine"])
    assert path.read_text() == "another's"
    for before in ("", "this is mine"):  # control: an empty file, and one of ours
        path.write_text(before)
        write_own_file(path, content, [b"mine"])
        assert path.read_text() == "mine"


@pytest.fixture
def vectors(tmp_path, rng):
    np.save(tmp_path / "v.npy", rng.normal(size=(60, 4)))
    return tmp_path / "v.npy"


@pytest.mark.parametrize(("option", "name"), [("--junit", "pom.xml"), ("--markdown", "README.md"), ("--out", "report")])
def test_what_an_audit_writes_replaces_an_audit_and_nothing_else(tmp_path, vectors, option, name):
    place = tmp_path / name
    foreign = place / "report.html" if option == "--out" else place
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("# The shop")
    asked = ["audit", str(vectors), option, str(place)]
    refused = CliRunner().invoke(app, asked)
    assert refused.exit_code != 0
    assert foreign.read_text() == "# The shop"
    foreign.unlink()
    for _ in range(2):  # control: twice where nothing of others is
        assert CliRunner().invoke(app, asked).exit_code == 0
    assert foreign.read_text() != "# The shop"


def test_a_calibration_replaces_a_calibration_and_nothing_else(tmp_path, vectors):
    rows = [f"{a},{a + 1},{a % 2}" for a in range(50)]
    pairs, out = tmp_path / "pairs.csv", tmp_path / "settings.json"
    pairs.write_text("left,right,similar\n" + "\n".join(rows) + "\n")
    out.write_text('{"debug": true}')
    asked = ["calibrate", str(vectors), "--ids", "positions", "--pairs", str(pairs), "--out", str(out)]
    assert CliRunner().invoke(app, asked).exit_code != 0
    assert out.read_text() == '{"debug": true}'
    out.unlink()
    for _ in range(2):
        assert CliRunner().invoke(app, asked).exit_code == 0


@pytest.mark.filterwarnings(
    "ignore:Importing from:DeprecationWarning"
)  # of sentence-transformers, which keeps both places
@pytest.mark.parametrize("form", ["sql", "numpy", "onnx", "sentence-transformers"])
def test_a_map_replaces_a_map_and_nothing_else(tmp_path, rng, form):
    if form == "onnx":
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnx")
    if form == "sentence-transformers":
        pytest.importorskip("sentence_transformers")
    np.save(tmp_path / "v.npy", rng.normal(size=(60, 4)))
    np.save(tmp_path / "u.npy", rng.normal(size=(80, 4)))
    moved = ["gauge", str(tmp_path / "v.npy"), "--users", str(tmp_path / "u.npy"), "--out", str(tmp_path / "g")]
    assert CliRunner().invoke(app, moved).exit_code == 0
    place = tmp_path / "served"
    foreign = place / "config.json" if form == "sentence-transformers" else place
    foreign.parent.mkdir(exist_ok=True)
    foreign.write_text("mine")
    asked = ["apply", str(tmp_path / "g"), "--as", form, "--out", str(place)]
    assert CliRunner().invoke(app, asked).exit_code != 0
    assert foreign.read_text() == "mine"
    foreign.unlink()
    for _ in range(2):
        assert CliRunner().invoke(app, asked).exit_code == 0


def test_vectors_do_not_take_the_place_of_those_that_they_were_read_from(tmp_path, rng):
    Embedding(3.0 * rng.normal(size=(30, 4))).save(tmp_path / "model")
    path = tmp_path / "v.npy"
    export(tmp_path / "model", f"npy:{path}")  # an export, so the file is one of ours
    before = path.read_bytes()
    with pytest.raises(InputError, match="is the file that these vectors were read from"):
        export(path, f"npy:{path}")
    assert path.read_bytes() == before
    assert export(path, f"npy:{tmp_path / 'other.npy'}").verified
