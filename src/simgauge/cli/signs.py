"""Signs that a terminal can show: no characters that steer it, and none that it does not have."""

from __future__ import annotations

import re

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, marks that turn the direction of text, halves of characters: tabs and ends of lines are not."""

IN_ASCII = str.maketrans({
    "…": "...", "α": "alpha", "γ": "gamma", "λ": "lambda", "κ": "kappa", "β": "beta", "σ": "sigma", "ε": "eps",
    "½": "1/2", "×": "x", "±": "+/-", "≥": ">=", "≤": "<=", "≈": "~", "−": "-", "–": "-", "—": "-", "√": "sqrt ",
    "“": '"', "”": '"', "‘": "'", "’": "'", "·": "*", "∝": "~", "→": "->", "█": "#", "░": ".", "²": "^2", "\u00a0": " ",
})  # fmt: skip
"""Signs of our own texts for terminals that have no others than ASCII's."""


def printable(text: str) -> str:
    """Text that can only be read: what could steer a terminal is shown by its number instead.

    Examples
    --------
    >>> print(printable("tea\\x1b[2J"))
    tea\\x1b[2J
    """
    return UNPRINTABLE.sub(lambda found: ascii(found.group())[1:-1], text)
