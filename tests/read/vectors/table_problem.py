"""One table of vectors with words and numbers as ids: what every door must give back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simgauge.embedding import Embedding
from simgauge.read.embedding_files import read_embedding

TABLE = np.random.default_rng(1).standard_normal((40, 4)).astype(np.float32)
ROWS = TABLE.tolist()
WORDS = [f"w{number}" for number in range(40)]
NUMBERS = list(range(500, 540))
COUNTED = list(range(40))


def lines(separator: str = ",", ids: Any = WORDS, header: str = "", decimal: str = ".") -> str:
    """The table as text, ids in front (none for `ids` None)."""
    numbers = [[str(value).replace(".", decimal) for value in row] for row in ROWS]
    rows = numbers if ids is None else [[str(label), *row] for label, row in zip(ids, numbers, strict=True)]
    return header + "".join(separator.join(row) + "\n" for row in rows)


def wrote(path: Path, content: str | bytes) -> Path:
    """The file, written."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content, encoding="utf-8", newline="")
    return path


def read(source: Any, **options: Any) -> tuple[Embedding, dict[str, Any]]:
    """What was read, and what was understood of it."""
    found = read_embedding(source, **options)
    return found, dict(found.provenance["sources"]["items"])


def assert_whole(source: Any, expected: list[Any], **options: Any) -> dict[str, Any]:
    """The source gives the table and these ids."""
    found, understood = read(source, **options)
    assert found.items.shape == TABLE.shape, f"{understood}"
    assert np.allclose(found.items, TABLE, atol=1e-6), f"{understood}"
    assert found.item_ids.tolist() == expected, f"{understood}"
    assert (understood["rows"], understood["components"]) == TABLE.shape
    return understood
