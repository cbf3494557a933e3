"""A few hundred changed files of every format, as ``make fuzz`` reads 100,000 of them; and the fuzzer sees what it
should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("fuzz.py")

BLIND = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import fuzz, fuzz_files
{sabotage}
fuzz.main()
"""

SABOTAGE = {
    "traceback": "fuzz_files.read_interactions = fuzz_files.read_interactions.__wrapped__; "
    "import simgauge.read.sources.table_source as t; t.Source.damaged = lambda self, error: error",
    "unseen": "import simgauge.storage.manifest as m; m.unsealed_hash = lambda raw, stated, end=None: stated; "
    "m.sha256_of_file = lambda path: 'x'; import simgauge.remedies.saving as r; r.unsealed_hash = m.unsealed_hash",
    "memory": "old = fuzz_files.read_interactions\n"
    "def hungry(*a, **o): return (bytearray(600_000_000), old(*a, **o))[1]\nfuzz_files.read_interactions = hungry",
    "crash": "import os; old = fuzz_files.read_interactions\n"
    "def fatal(*a, **o):\n    try: return old(*a, **o)\n    except ValueError: os.abort()\n"
    "fuzz_files.read_interactions = fatal",
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory through /proc")


def test_every_outcome_is_right() -> None:
    command = [sys.executable, str(PROGRAM), "--files", "300", "--seed", "11"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, str(done.stdout + done.stderr)


@pytest.mark.parametrize("word", SABOTAGE)
def test_the_fuzzer_sees_faults(word: str) -> None:
    """Controls: readers that are broken on purpose."""
    only, files = ("saved embedding", "150") if word == "unseen" else ("events", "30")
    command = [sys.executable, "-c", BLIND.format(sabotage=SABOTAGE[word]), str(PROGRAM.parent)]
    more = ["--files", files, "--only", only]
    done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1, str(done.stdout + done.stderr)
    assert f'"{word}"' in done.stdout.splitlines()[-1] or f": {word} " in done.stdout, str(done.stdout + done.stderr)
