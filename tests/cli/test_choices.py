"""Choices shown in the help are those that the library accepts, and the shell completes them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
import typer.main

from simgauge import Embedding
from simgauge.auditing.objectives import Biases, Penalty
from simgauge.cli.app import app
from simgauge.cli.choices import CHOICES, COMPLETIONS, PRECISIONS
from simgauge.cli.logs import FORMATS as FORMATS_OF_LOGS
from simgauge.core.gauges.canonical import Center
from simgauge.core.tables.reduction import Precision
from simgauge.datasets.clusters import PowerLaw
from simgauge.neighbors import Sides
from simgauge.read.events.merge import RULES
from simgauge.selection.aims import AIMS
from simgauge.shipping.aligned import Method
from simgauge.shipping.apply import Side
from simgauge.shipping.map_code import FORMS
from simgauge.shipping.store_findings import Expected
from simgauge.shipping.upgraded import METHODS


def test_choices_are_those_of_the_library():
    assert CHOICES["center"] == get_args(Center)
    assert set(CHOICES["biases"]) == set(get_args(Biases)) - {"unknown"}
    assert set(CHOICES["audit.penalty"]) == set(get_args(Penalty))
    assert CHOICES["duplicates"] == RULES
    assert CHOICES["expect"] == get_args(Expected)
    assert CHOICES["neighbors.of"] == get_args(Sides)
    assert CHOICES["reproduce.power_law"] == get_args(PowerLaw)
    assert CHOICES["apply.side"] == get_args(Side)
    assert CHOICES["apply.form"] == FORMS
    assert CHOICES["align.method"] == get_args(Method)
    assert get_args(Precision) == PRECISIONS
    assert CHOICES["upgrade.method"] == ("best", *METHODS)
    assert CHOICES["fix.aim"] == tuple(AIMS)
    assert CHOICES["log_format"] == FORMATS_OF_LOGS


@pytest.mark.parametrize("key", [*CHOICES, *COMPLETIONS])
def test_every_choice_belongs_to_an_option_or_argument(key):
    commands = typer.main.get_command(app).commands
    command, _, name = key.rpartition(".")
    searched = [commands[command]] if command else list(commands.values())
    assert any(name == parameter.name for found in searched for parameter in found.params)


def completed(*words):
    """What bash is offered for the last word."""
    environment = {**os.environ, "_SIMGAUGE_COMPLETE": "complete_bash",
                   "COMP_WORDS": " ".join(("simgauge", *words)), "COMP_CWORD": str(len(words))}  # fmt: skip
    program = "import sys; sys.argv[0] = 'simgauge'; from simgauge.cli.app import app; app(prog_name='simgauge')"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    return done.stdout.split()


def test_the_shell_completes_commands_values_lists_and_names(tmp_path):
    names = ["Toy Story", "Toys", "Heat"]
    saved = Embedding(np.eye(3), item_names=names).save(tmp_path / "saved")
    assert completed("alig") == ["align"]
    assert completed("gauge", "m", "--center", "us") == ["users"]
    assert completed("preview", "m", "--precision", "int8,fl") == ["int8,float32", "int8,float16"]
    assert completed("audit", "m", "--objective", "bp") == ["bpr"]
    assert completed("export", "m", "--to", "duck")[0].startswith("duckdb")
    assert completed("neighbors", str(saved), "To") == ["Toy\\", "Story", "Toys"], "as bash inserts it"
    assert completed("neighbors", str(tmp_path / "none"), "To") == [], "nothing, and no complaint"
