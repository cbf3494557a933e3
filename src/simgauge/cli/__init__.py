"""The command line: thin shells around the library, with the same defaults."""

from __future__ import annotations

import os
import signal
import sys
from threading import Timer, current_thread, main_thread
from types import FrameType
from typing import NoReturn

from simgauge.cli.exit_codes import BROKEN_PIPE, DONE, FAULT, INPUT, INTERRUPTED, TERMINATED

# nothing heavy is imported above: a signal that comes before `main` has begun ends in a traceback


def main() -> NoReturn:
    """Entry point of the ``simgauge`` command: whatever happens becomes one message and an exit code."""
    received = _note_signals()
    try:
        code = _run()
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        code = _quiet()
    except Exception as error:
        # a library that is interrupted while it is loaded raises whatever it likes
        code = INTERRUPTED if received else _told(error)
    if received or code == INTERRUPTED:
        code = _end_interrupted(received[0] if received else signal.SIGINT)
    _let_signals_end_the_process()
    sys.exit(code)


def _run() -> int:
    """Run the command; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a sign shows its number
            stream.reconfigure(errors="backslashreplace")
    from simgauge.cli.app import app  # inside, so that Ctrl-C is met while libraries are loaded too

    try:
        outcome = app(standalone_mode=False, prog_name="simgauge")
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):
            raise stop.__context__ from None
        outcome = stop.code
    except Exception as error:
        if not hasattr(error, "exit_code") or not hasattr(error, "show"):
            raise
        from simgauge.cli.naming import point_to_short_option

        point_to_short_option(error)
        error.show()  # a usage error of the parser
        return int(error.exit_code)
    return outcome if isinstance(outcome, int) else DONE


def _told(error: Exception) -> int:
    """Print what an error says to people; its exit code."""
    from simgauge.cli.console import print_error
    from simgauge.cli.naming import in_options, options_of
    from simgauge.errors import SimgaugeError

    if isinstance(error, SimgaugeError):
        print_error(in_options(str(error), options_of(sys.argv[1:])))
        return INPUT
    if type(error).__name__ == "Abort":
        return INTERRUPTED
    if isinstance(error, MemoryError):
        print_error(
            f"there is not enough memory for this ({error or 'MemoryError'}): pass less data, or smaller tables."
        )
        return INPUT
    if isinstance(error, OSError) and error.filename is not None:
        print_error(f"cannot read or write {error.filename}: {error.strerror or error}.")
        return INPUT
    print_error(
        f"this is a fault of simgauge: {type(error).__name__}: "
        f"{str(error).splitlines()[0][:200] if str(error) else ''} "
        f"{_logged(error)} Please report it with what led to it."
    )
    return FAULT


def _logged(error: Exception) -> str:
    import tempfile
    import traceback

    from simgauge import __version__

    text = f"simgauge {__version__}, Python {sys.version}\n{sys.argv}\n{''.join(traceback.format_exception(error))}"
    try:
        handle, name = tempfile.mkstemp(prefix="simgauge-", suffix=".log")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        sys.stderr.write(text)
        return "The traceback is above."
    return f"The traceback is in {name}."


def _note_signals() -> list[int]:
    """A list that grows with every Ctrl-C and every request to end; each raises KeyboardInterrupt."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.default_int_handler(number, frame)

    def swallowed(what: sys.UnraisableHookArgs) -> None:
        if not issubclass(what.exc_type, KeyboardInterrupt):
            sys.__unraisablehook__(what)
        elif received:  # it came while an object was removed, where Python drops it: once more
            Timer(0.05, lambda: signal.pthread_kill(main_thread().ident or 0, received[-1])).start()

    if current_thread() is main_thread():
        sys.unraisablehook = swallowed
        # not where signals are ignored, as by `nohup` or in the background of a shell
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, note)
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, note)
    return received


def _let_signals_end_the_process() -> None:
    """From here on a signal ends the process at once: nothing is left to do, and nothing to say."""
    sys.unraisablehook = sys.__unraisablehook__
    if current_thread() is main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if getattr(signal.getsignal(number), "__module__", None) == __name__:
                signal.signal(number, signal.SIG_DFL)


def _quiet() -> int:
    """Nobody reads the output any more: whatever is still to be flushed goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def _end_interrupted(number: int) -> int:
    word = "interrupted" if number == signal.SIGINT else "terminated"
    sys.stderr.write(f"error: {word}; nothing half-written is left behind.\n")
    # CPython notes an interruption inside exec("..."), as dataclasses use it, and would end by the signal all the same;
    # the next exec of a text takes that note back
    exec("")
    return INTERRUPTED if number == signal.SIGINT else TERMINATED
