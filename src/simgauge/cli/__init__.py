"""The command line: thin shells around the library, with the same defaults."""

from __future__ import annotations

import os
import sys

from simgauge.errors import SimgaugeError

BAD_INPUT = 2
INTERRUPTED = 130
BROKEN_PIPE = 141


def main() -> None:
    """Entry point of the ``simgauge`` command: errors made for people become one message and exit code 2."""
    from simgauge.cli.app import app
    from simgauge.cli.console import print_error

    try:
        app()
    except SimgaugeError as error:
        print_error(str(error))
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        print_error("interrupted; nothing half-written is left behind.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
