"""Text formats: word2vec text and binary, and the two files of TensorBoard's projector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simgauge.errors import InputError
from simgauge.progress import Progress
from simgauge.stores.card import read_card
from simgauge.stores.columns import as_ids_of_store
from simgauge.stores.rows import ExportRows
from simgauge.stores.store import StoredVectors
from simgauge.stores.vector_file import VectorFile


class Word2VecText(VectorFile):
    """A header line, then a word and its numbers a line."""

    kind = "word2vec"
    content = "text"

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`."""
        _refuse_spaces(rows)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write(f"{rows.n_rows} {rows.n_components}\n")
            for batch in rows.batches(progress=progress):
                vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1)
                for label, vector in zip(batch.column("id").to_pylist(), vectors, strict=True):
                    file.write(f"{label} {' '.join(map(str, vector.tolist()))}\n")

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return (
            "# scores are cosines: larger is nearer\n"
            f"KeyedVectors.load_word2vec_format({self.address!r}).similar_by_vector(query, topn=10)"
        )


class Word2VecBinary(VectorFile):
    """A header line, then each word, a space and float32 numbers."""

    kind = "word2vec-binary"
    content = "binary"

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`."""
        _refuse_spaces(rows)
        with path.open("wb") as file:
            file.write(f"{rows.n_rows} {rows.n_components}\n".encode())
            for batch in rows.batches(progress=progress):
                vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1).astype("<f4")
                for label, vector in zip(batch.column("id").to_pylist(), vectors, strict=True):
                    file.write(f"{label} ".encode() + vector.tobytes() + b"\n")

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return (
            "# scores are cosines: larger is nearer\n"
            f"KeyedVectors.load_word2vec_format({self.address!r}, binary=True).similar_by_vector(query, topn=10)"
        )


class ProjectorFiles(VectorFile):
    """Vectors in a TSV file without header, ids and names in ``PATH.metadata.tsv``."""

    kind = "projector"
    content = "text"

    def beside(self) -> list[Path]:
        """See `VectorFile.beside`."""
        return [Path(f"{self.address}.metadata.tsv")]

    def write_beside(self, rows: ExportRows, paths: Sequence[Path]) -> tuple[str, ...]:
        """The metadata file."""
        (metadata,) = paths
        with metadata.open("w", encoding="utf-8", newline="\n") as file:
            file.write("id\tname\tnorm\n")
            for batch in rows.batches():
                for label, name, norm in zip(
                    *(batch.column(part).to_pylist() for part in ("id", "name", "norm")), strict=True
                ):
                    file.write(f"{_cell(label)}\t{_cell(name)}\t{norm:.6g}\n")
        vectors, (beside,) = Path(self.address), self.beside()
        return (f"load {beside.name} as the metadata of {vectors.name}",)

    def write_to(self, rows: ExportRows, path: Path, progress: Progress) -> None:
        """See `VectorFile.write_to`."""
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for batch in rows.batches(progress=progress):
                vectors = batch.column("vector").flatten().to_numpy().reshape(len(batch), -1)
                file.writelines("\t".join(map(str, vector)) + "\n" for vector in vectors.tolist())

    def read(self, *, rows: bool = True) -> StoredVectors:
        """See `Store.read`."""
        path, beside = Path(self.address), Path(f"{self.address}.metadata.tsv")
        if not path.is_file() or not beside.is_file():
            raise InputError(f"{path} or {beside.name} does not exist.")
        with path.open(encoding="utf-8") as file:
            vectors = np.loadtxt(file, dtype=np.float32, delimiter="\t", ndmin=2)
        lines = beside.read_text(encoding="utf-8").split("\n")[1:-1]
        card = read_card(self.card_path)
        ids = [line.partition("\t")[0] for line in lines]
        whole = card is not None and card.get("integer_ids")
        given = as_ids_of_store([int(label) for label in ids] if whole else ids)
        return StoredVectors(given, vectors, None, len(vectors), card)

    def recipe(self, rows: ExportRows) -> str:
        """See `Store.recipe`."""
        return f"# projector.tensorflow.org: Load, then {Path(self.address).name} and its .metadata.tsv; choose cosine"


def _refuse_spaces(rows: ExportRows) -> None:
    if rows.ids.dtype != object:
        return
    bad = next((label for label in rows.ids.tolist() if not label or any(mark.isspace() for mark in label)), None)
    if bad is not None:
        raise InputError(
            f"the id {bad!r} holds a space or is empty, and word2vec's format ends a word at the first space: choose "
            "another target, such as parquet:, or ids without spaces."
        )


def _cell(value: object) -> str:
    return str("" if value is None else value).replace("\t", " ").replace("\n", " ").replace("\r", " ")
