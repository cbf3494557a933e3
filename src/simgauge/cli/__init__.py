"""The command line: thin shells around the library, with the same defaults."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from simgauge.errors import SimgaugeError

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def main() -> None:
    """Entry point of the ``simgauge`` command: errors made for people become one message and exit code 2."""
    try:
        from simgauge.cli.app import app  # inside, so that Ctrl-C is met while libraries are loaded too

        app()
    except SimgaugeError as error:
        from simgauge.cli.console import print_error

        print_error(str(error))
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        _end_interrupted()
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer has met the interruption already, and said nothing
            _end_interrupted()
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)


def _end_interrupted() -> NoReturn:
    sys.stderr.write("error: interrupted; nothing half-written is left behind.\n")
    # CPython notes an interruption inside exec("..."), as dataclasses use it, and would end by the signal all the same;
    # the next exec of a text takes that note back
    exec("")
    sys.exit(INTERRUPTED)
