"""simgauge fit on interactions larger than memory: the same model, by choice or by need, and clean when interrupted."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from simgauge import Embedding
from simgauge.read.events import memory
from simgauge.read.spill import store_interactions
from simgauge.storage.places import NEW, WORK


@pytest.fixture
def parquet(rng, tmp_path: Path) -> Path:
    path = tmp_path / "events.parquet"
    pairs = {"user_id": rng.integers(0, 300, 5_000), "item_id": rng.zipf(1.5, 5_000) % 80}
    pq.write_table(pa.table(pairs), path)
    return path


def in_order(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.iterdir())


def test_memory_takes_the_route_over_the_disk_to_the_same_model(run, parquet, tmp_path) -> None:
    code, plain, _ = run("fit", parquet, "--out", tmp_path / "plain", "--n-components", 5, "--json")
    assert code == 0
    code, text, _ = run("fit", parquet, "--out", tmp_path / "disk", "--n-components", 5, "--memory", "256MiB", "--json")
    assert code == 0
    expected, found = Embedding.load(tmp_path / "plain"), Embedding.load(tmp_path / "disk")
    np.testing.assert_allclose(found.items, expected.items, atol=1e-10)
    np.testing.assert_allclose(found.users, expected.users, atol=1e-10)
    np.testing.assert_array_equal(found.user_ids, expected.user_ids)
    one, other = json.loads(plain), json.loads(text)
    assert one["read"] == other["read"]
    assert one["n_users"] == other["n_users"]
    assert in_order(tmp_path) == ["disk", "events.parquet", "plain"]  # the store is gone


def test_it_is_taken_when_the_footers_ask_for_more_than_half_of_the_memory(run, parquet, tmp_path, monkeypatch) -> None:
    need = 5_000 * memory.BYTES_PER_EVENT
    for left, noted in ((2 * need - 1, True), (2 * need, False)):
        monkeypatch.setattr(memory, "available_memory", lambda left=left: left)
        code, _, note = run("fit", parquet, "--out", tmp_path / "m", "--n-components", 5)
        assert code == 0
        assert ("sorting on disk instead, with 256 MiB" in note) == noted
    monkeypatch.setattr(memory, "available_memory", lambda: 1)
    code, _, note = run("fit", parquet, "--out", tmp_path / "m", "--n-components", 5, "--penalty", "dropout")
    assert code == 0
    assert "on disk" not in note, "dropout has no other route"


def test_a_store_is_fitted_as_it_is(run, parquet, tmp_path) -> None:
    store_interactions(parquet, tmp_path / "store")
    code, _, _ = run("fit", tmp_path / "store", "--out", tmp_path / "m", "--n-components", 5)
    assert code == 0
    assert Embedding.load(tmp_path / "m").n_components == 5
    assert in_order(tmp_path) == ["events.parquet", "m", "store"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["events.parquet", "--memory", "1GiB", "--penalty", "dropout"], "--penalty dropout needs the interactions in"),
        (["store", "--penalty", "dropout"], "store is a store on disk, and --penalty dropout needs"),
        (["store", "--user", "user_id", "--min-item-count", "2"], "user, min_item_count cannot be changed any more"),
        (["events.parquet", "--memory", "plenty"], "--memory 'plenty': expected an amount such as '2GiB'"),
        (["events.parquet", "--memory", "1GiB", "--item", "song"], "has no column 'song' for item"),
        (["nowhere.parquet", "--memory", "1GiB"], "nowhere.parquet does not exist"),
    ],
)
def test_what_cannot_be_done_is_said(run, parquet, tmp_path, monkeypatch, arguments, message) -> None:
    store_interactions(parquet, tmp_path / "store")
    monkeypatch.chdir(tmp_path)
    code, _, error = run("fit", *arguments, "--out", "m")
    assert code == 2
    assert message in error
    assert error.count("\n") == 1
    assert in_order(tmp_path) == ["events.parquet", "store"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks at what a process has loaded through /proc")
@pytest.mark.parametrize("command", ["fit", "fit from disk", "audit"])
def test_ctrl_c_ends_with_130_one_line_and_nothing_half_written(rng, tmp_path, command) -> None:
    out = tmp_path / "out"
    if command == "audit":
        Embedding(rng.standard_normal((60_000, 96)), users=rng.standard_normal((60_000, 96))).save(tmp_path / "given")
    else:
        size = 3_000_000
        pairs = {"user_id": rng.integers(0, 200_000, size), "item_id": rng.integers(0, 30_000, size)}
        pq.write_table(pa.table(pairs), tmp_path / "given")
    before = in_order(tmp_path)
    options = ["--memory", "256MiB"] if command == "fit from disk" else []
    arguments = [command.split()[0], str(tmp_path / "given"), "--out", str(out), *options]
    program = [sys.executable, "-m", "simgauge", *arguments]
    process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    late = "libarrow" if command == "audit" else "_duckdb"  # a library that is loaded when the work begins
    spilled = f".out.*/{WORK}/.store.*/{NEW}/{WORK}/pairs"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        if any(tmp_path.glob(spilled)) if options else late in _mapped(process.pid):
            break
        time.sleep(0.02)
    time.sleep(0.3)  # past the loading: an exception inside of a library's own initialisation is beyond us
    assert process.poll() is None  # else nothing was interrupted
    process.send_signal(signal.SIGINT)
    output, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == "error: interrupted; nothing half-written is left behind.\n"
    assert output == ""
    assert in_order(tmp_path) == before


def _mapped(process: int) -> str:
    return Path(f"/proc/{process}/maps").read_text()


def test_an_interruption_while_libraries_are_loaded_ends_with_130_too(tmp_path) -> None:
    """CPython would end by the signal itself when it came inside an exec of a text; simulated where it happens."""
    program = (
        "import sys; from simgauge import cli; import simgauge.cli.app as module\n"
        "def interrupted(**_): exec('raise KeyboardInterrupt')\n"
        "module.app = interrupted; cli.main()"
    )
    (tmp_path / "program.py").write_text(program)
    command = [sys.executable, "-m", "program"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "error: interrupted; nothing half-written is left behind.\n"


def test_whatever_a_library_makes_of_an_interruption_ends_with_130(tmp_path) -> None:
    """Extension modules turn a KeyboardInterrupt during their initialisation into errors of their own."""
    program = (
        "import os, signal; from simgauge import cli; import simgauge.cli.app as module\n"
        "def interrupted(**_):\n"
        "    try: os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(5)\n"
        "    except KeyboardInterrupt: raise ImportError('initialisation failed')\n"
        "module.app = interrupted; cli.main()"
    )
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run([sys.executable, "-m", "program"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 130
    assert done.stderr == "error: interrupted; nothing half-written is left behind.\n"
