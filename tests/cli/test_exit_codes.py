"""Every outcome has its exit code, and says no more than it should."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from simgauge import Embedding
from simgauge.cli import exit_codes

SABOTAGE = """
import sys
from simgauge import cli
import simgauge.cli.options as options
def load(*_, **__): {what}
options.load_embedding = load
sys.argv = ["simgauge", "audit", "table.npy"]
cli.main()
"""


@pytest.fixture
def program(tmp_path):
    def call(text: str, *arguments: str, **settings):
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        return subprocess.run([sys.executable, "-c", text, *arguments], capture_output=True, text=True, cwd=tmp_path,
                              env=environment, check=False, timeout=60, **settings)  # fmt: skip

    return call


@pytest.fixture
def saved(rng, tmp_path) -> Path:
    return Embedding(rng.standard_normal((30, 4))).save(tmp_path / "saved")


def test_help_lists_the_table(run):
    _, text, _ = run("--help")
    listed = dict(re.findall(r"(\d+) ([^;]+?)[;.]", " ".join(text.split()).partition("Exit codes: ")[2]))
    assert {int(code) for code in listed} == set(exit_codes.MEANINGS) == {0, 1, 2, 3, 70, 130, 141, 143}


def test_done_finding_and_input(run, saved, tmp_path):
    assert run("audit", saved, "-k", "3", "--json")[0] == exit_codes.DONE
    strict = ("--objective", "softmax", "--fail-on", "warn")
    assert run("audit", saved, "-k", "3", "--json", *strict)[0] == exit_codes.FINDING
    for arguments in (["audit", tmp_path / "nothing"], ["audit"], ["audit", saved, "--nonsense"], ["nonsense"]):
        code, output, error = run(*arguments)
        assert (code, output) == (exit_codes.INPUT, "")
        assert "Traceback" not in error
        assert error


@pytest.mark.parametrize(
    ("what", "code", "message"),
    [
        ("1 / 0", exit_codes.FAULT, r"error: this is a fault of simgauge: ZeroDivisionError: division by zero"),
        ("raise OSError(5, 'Input/output error', 'table.npy')", exit_codes.INPUT, "cannot read or write table.npy"),
        ("raise MemoryError('9 TiB')", exit_codes.INPUT, "not enough memory"),
        ("raise KeyboardInterrupt", exit_codes.INTERRUPTED, "error: interrupted; nothing half-written"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
            exit_codes.TERMINATED,
            "error: terminated; nothing",
        ),
    ],
)
def test_one_line_whatever_happens(program, tmp_path, what, code, message):
    done = program(SABOTAGE.format(what=what))
    assert (done.returncode, done.stdout) == (code, ""), f"{done.stderr}"
    assert re.match(message if message.startswith("error") else f"error: .*{message}", done.stderr)
    assert done.stderr.count("\n") == 1
    logs = list(tmp_path.glob("simgauge-*.log"))
    assert len(logs) == (code == exit_codes.FAULT)
    if logs:
        assert str(logs[0]) in done.stderr
        assert "Traceback" in logs[0].read_text()


def test_a_reader_that_goes_is_no_reason_for_words(saved):
    command = [sys.executable, "-m", "simgauge", "audit", str(saved), "-k", "3", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == exit_codes.BROKEN_PIPE
        assert process.stderr.read() == b""


def test_a_signal_while_python_shuts_down_is_quiet(program):
    text = (
        "import atexit, os, signal, sys; from simgauge import cli\n"
        "atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))\n"
        "sys.argv = ['simgauge', '--version']; cli.main()"
    )
    done = program(text)
    assert done.returncode == -signal.SIGINT
    assert done.stdout.startswith("simgauge ")
    assert done.stderr == ""


@pytest.mark.parametrize("setting", [{"PYTHONIOENCODING": "ascii"}, {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_terminals_that_know_no_greek(saved, tmp_path, setting):
    Embedding(np.eye(3), item_names=["λ", "日本", "e"]).save(tmp_path / "greek")
    for options in ([], ["--json"]):
        command = [sys.executable, "-m", "simgauge", "neighbors", str(tmp_path / "greek"), "e", "-k", "2", *options]
        done = subprocess.run(command, capture_output=True, env={**os.environ, **setting}, check=False)
        assert done.returncode == 0, f"{done.stderr}"
        if options:
            names = json.loads(done.stdout)
            assert "日本" in json.dumps(names, ensure_ascii=False)
    command = [sys.executable, "-m", "simgauge", "audit", str(saved), "-k", "3"]
    done = subprocess.run(command, capture_output=True, env={**os.environ, **setting}, check=False)
    assert done.returncode == 0, f"{done.stderr}"
