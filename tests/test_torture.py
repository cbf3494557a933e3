"""A few rounds of the torture that ``make torture`` runs for hours: commands killed and interrupted at random
moments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("torture.py")


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and knows left-over files by locks")
def test_nothing_is_lost_mixed_or_left_behind() -> None:
    command = [sys.executable, str(PROGRAM), "--rounds", "1", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, str(done.stdout + done.stderr)
    assert done.stdout.count("0 faults") == 2
