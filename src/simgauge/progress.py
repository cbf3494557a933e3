"""Progress of long work, in one shape everywhere: a text, steps done, steps in all."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called as ``progress(text, steps_done, steps)``; `text` says what is being done, ``steps_done == steps`` ends it."""


def silent(_text: str, _done: int, _steps: int) -> None:
    """Progress that nobody sees."""
