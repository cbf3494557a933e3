"""safetensors: the table, the norms and the ids as text bytes, with the card in the header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError
from simgauge.progress import Progress
from simgauge.stores.card import KEY, card_of, card_text, read_card
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import StoredVectors
from simgauge.stores.vector_file import VectorFile


class SafetensorsFile(VectorFile):
    """Tensors items, norms and ids (a JSON list as UTF-8 bytes)."""

    kind = "safetensors"
    content = "safetensors"

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`; memory: the whole table."""
        from safetensors.numpy import save_file

        text = json.dumps(rows.ids.tolist(), ensure_ascii=False).encode()
        tensors: dict[str, NDArray[Any]] = {
            "items": rows.vectors(),
            "norms": rows.norms,
            "ids_json": np.frombuffer(text, np.uint8),
        }
        save_file(tensors, path, metadata={KEY: card_text(rows.card)})
        progress("writing rows", rows.n_rows, rows.n_rows)

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        from safetensors import SafetensorError, safe_open

        read_card(self.card_path)
        try:
            with safe_open(self.address, framework="np") as file:
                card = card_of((file.metadata() or {}).get(KEY))
                vectors = file.get_tensor("items")
                ids = json.loads(file.get_tensor("ids_json").tobytes().decode())
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(f"{self.address} is no export to safetensors or is damaged: {error!s:.200}") from error
        return StoredVectors(as_ids_of_store(ids), vectors, None, len(vectors), card)

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        what = "cosine, since rows have norm one" if rows.unit else "inner product"
        return (
            f"# scores are the {what}: larger is nearer\n"
            f"scores = safetensors.numpy.load_file({self.address!r})['items'] @ query"
        )
