"""Exit codes of the ``simgauge`` command: one table for the program, its help and its tests."""

from __future__ import annotations

DONE = 0
FINDING = 1
INPUT = 2
INCONCLUSIVE = 3
FAULT = 70
INTERRUPTED = 130
BROKEN_PIPE = 141
TERMINATED = 143

MEANINGS = {
    DONE: "done",
    FINDING: "a finding reached --fail-on, or is worse than the baseline",
    INPUT: "the input cannot be used as it is, or there is a question to answer",
    INCONCLUSIVE: "the evidence does not decide",
    FAULT: "a fault of simgauge itself; the message names the log",
    INTERRUPTED: "interrupted (Ctrl-C)",
    BROKEN_PIPE: "whoever reads the output has gone",
    TERMINATED: "terminated by the system",
}


def epilog() -> str:
    """What ``--help`` says of exit codes."""
    return "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in MEANINGS.items()) + "."
