"""The card of shipped vectors as text: stored as a comment, as metadata or in a file beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

KEY = "simgauge"
"""Name of the card among the metadata of a table or collection."""


def card_text(card: Mapping[str, Any]) -> str:
    """JSON on one line."""
    return json.dumps(dict(card), ensure_ascii=True, allow_nan=False, sort_keys=True)


def card_of(text: Any) -> dict[str, Any] | None:
    """The card in a text, None where the text is somebody else's.

    Examples
    --------
    >>> card_of('{"format": "simgauge", "n_rows": 2}')["n_rows"]
    2
    >>> card_of("the items of the shop") is None
    True
    """
    try:
        found = json.loads(text) if isinstance(text, str | bytes) else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("format") == "simgauge" else None
