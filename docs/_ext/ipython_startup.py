"""What IPython runs first in every executed page; docs/conf.py puts it into a profile of its own."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings

from IPython import get_ipython

warnings.filterwarnings("ignore", message="IProgress not found")
logging.disable(logging.INFO)  # some libraries turn on the logs of all others


def bash(line: str, cell: str) -> None:  # noqa: ARG001 (the signature of a cell magic)
    """Run the cell and print its output in one piece: IPython's own magic cuts it, also within words."""
    done = subprocess.run(["bash", "-e", "-c", cell], capture_output=True, text=True, check=False)
    print(done.stdout, end="", flush=True)
    print(done.stderr, end="", flush=True, file=sys.stderr)
    done.check_returncode()


get_ipython().register_magic_function(bash, "cell", "bash")
