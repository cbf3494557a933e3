"""The command line: thin shells around the library, with the same defaults."""

from __future__ import annotations

import os
import signal
import sys
from threading import current_thread, main_thread
from types import FrameType
from typing import NoReturn

from simgauge.errors import SimgaugeError

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def main() -> None:
    """Entry point of the ``simgauge`` command: errors made for people become one message and exit code 2."""
    interruptions = _note_interruptions()
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
        if interruptions or stop.code == INTERRUPTED:  # typer has met the interruption already, and said nothing
            _end_interrupted()
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except Exception:
        if interruptions:  # a library that was interrupted while it was loaded raises whatever it likes
            _end_interrupted()
        raise


def _note_interruptions() -> list[int]:
    """A list that grows with every Ctrl-C; each still raises KeyboardInterrupt."""
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    # not where interruptions are ignored, as by `nohup` or in the background of a shell, nor in a thread
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler and current_thread() is main_thread():
        signal.signal(signal.SIGINT, note)
    return noted


def _end_interrupted() -> NoReturn:
    sys.stderr.write("error: interrupted; nothing half-written is left behind.\n")
    # CPython notes an interruption inside exec("..."), as dataclasses use it, and would end by the signal all the same;
    # the next exec of a text takes that note back
    exec("")
    sys.exit(INTERRUPTED)
