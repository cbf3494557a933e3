"""Progress in Python's logging: seen by those who ask, and not more often than a log needs it."""

from __future__ import annotations

import logging

import numpy as np
import pytest

import simgauge
from simgauge import progress


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO, logger="simgauge")
    return caplog


def test_long_work_is_logged_for_those_who_ask(log):
    simgauge.audit(simgauge.Embedding(np.random.default_rng(0).normal(size=(30, 3))), k=3)
    found = [record for record in log.records if record.name == "simgauge.progress"]
    assert len(found) > 5
    assert {record.levelno for record in found} == {logging.INFO}
    assert found[-1].done == found[-1].steps


def test_the_same_work_is_logged_again_only_after_a_while(log, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    for step in range(100):
        clock[0] = step * 0.1
        progress.logged("copying", step, 100)
    assert [record.done for record in log.records] == [0, 50]
    progress.logged("copying", 0, 100)
    assert log.records[-1].done == 0, "work that begins anew is logged"
    progress.logged("sorting", 0, 2)
    assert log.records[-1].getMessage() == "sorting"


def test_control_nobody_who_does_not_ask_sees_anything(caplog, capsys):
    caplog.set_level(logging.WARNING, logger="simgauge")
    progress.logged("copying", 1, 2)
    assert not caplog.records
    assert capsys.readouterr() == ("", "")
