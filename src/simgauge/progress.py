"""Progress of long work, in one shape everywhere: a text, steps done, steps in all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import local

Progress = Callable[[str, int, int], None]
"""Called as ``progress(text, steps_done, steps)``; `text` says what is being done, ``steps_done == steps`` ends it."""

LOGGER = logging.getLogger("simgauge.progress")
SECONDS_BETWEEN = 5.0
"""Records of the same work are at least this far apart: a log is not a bar."""

_last = local()


def logged(text: str, done: int, steps: int) -> None:
    """Progress that goes to Python's logging, where nobody sees it who does not ask for it.

    Every new text is a record of level INFO of the logger "simgauge.progress", and the same text again after
    `SECONDS_BETWEEN`; the record has the attributes ``done`` and ``steps``.

    Examples
    --------
    >>> import logging
    >>> logging.getLogger("simgauge").setLevel(logging.INFO)  # with logging.basicConfig() it is shown
    """
    if not LOGGER.isEnabledFor(logging.INFO):
        return
    now = time.monotonic()
    same = text == getattr(_last, "text", None) and done >= _last.done
    _last.text, _last.done = text, done
    if same and now - _last.time < SECONDS_BETWEEN:
        return
    _last.time = now
    LOGGER.info("%s", text, extra={"done": done, "steps": steps})
