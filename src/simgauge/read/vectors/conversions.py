"""What to do with files that hold vectors and are not read: one line each that says how to convert them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simgauge.errors import InputError

ACCEPTED = (
    "npy, npz, Parquet, Feather and Arrow, CSV, TSV, JSON and JSON lines, safetensors, HDF5, word2vec text and binary, "
    "fvecs and fbin, FAISS, hnswlib and usearch indexes, torch checkpoints (weights only), model folders of Spark ALS, "
    "any of these as .gz, .bz2, .xz or .zst, a directory written by Embedding.save"
)
WAYS = {
    "fastText": (
        "is a fastText model with its subword tables. Use the .vec beside it, or write the words that you ship: "
        "model = fasttext.load_model(path); np.save('words.npy', [model.get_word_vector(w) for w in model.words])"
    ),
    "GGUF": "is a language model in GGUF. Encode your texts with it and pass the vectors as .npy or Parquet",
    "Avro": "is Avro. Read it with pyspark or fastavro and write Parquet",
    "PDF": "is no table of vectors",
}


def cannot_be_read(path: Path, content: str) -> InputError:
    """The error for a file that is not read, with the way to convert it where one is known."""
    if content in WAYS:
        return InputError(f"{path.name} {WAYS[content]}.")
    if content == "binary":
        size = path.stat().st_size
        raw = (
            " If it holds bare numbers: np.save('vectors.npy', np.fromfile(path, dtype='float32').reshape(-1, "
            "n_components))."
            if size % 4 == 0
            else ""
        )
        return InputError(
            f"{path.name} is binary and of no format that is known here, so that it holds no vectors that can be read "
            f"here.{raw} Accepted: {ACCEPTED}."
        )
    return InputError(f"{path.name} is {content}, which holds no vectors that can be read here. Accepted: {ACCEPTED}.")


HEADS = (
    (
        b"%%matrixmarket",
        "is a MatrixMarket file. Write it dense: import numpy as np, scipy.io, scipy.sparse; X = "
        "scipy.io.mmread(path); "
        "np.save('vectors.npy', X.toarray() if scipy.sparse.issparse(X) else X)",
    ),
    (
        b"@relation",
        "is ARFF. Convert it: data, _ = scipy.io.arff.loadarff(path); pandas.DataFrame(data).to_csv('vectors.csv')",
    ),
)
"""How texts begin that are no tables with one row a line."""


def refuse_known_text(path: Path) -> None:
    """Refuse texts of formats that a table reader would misread.

    Raises
    ------
    InputError
        With the line that converts the file.
    """
    with path.open("rb") as file:
        start = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    lines = [line for line in start.splitlines() if line.strip()] or [b""]
    for head, way in HEADS:
        if start.startswith(head) or (head == b"@relation" and any(line.startswith(head) for line in lines[:20])):
            raise InputError(f"{path.name} {way}.")


def sparse_archive(path: Path) -> InputError:
    """The error for what `scipy.sparse.save_npz` wrote."""
    return InputError(
        f"{path.name} holds a scipy sparse matrix. Pass it from Python, read_embedding(scipy.sparse.load_npz(path)), "
        f"or "
        "write it dense: np.save('vectors.npy', scipy.sparse.load_npz(path).toarray())."
    )


def sparse_text(path: Path, example: str) -> InputError:
    """The error for svmlight and its kin, which are sparse features rather than vectors."""
    return InputError(
        f"{path.name} holds sparse vectors as index:value pairs ({example[:40]!r}, svmlight or LIBSVM). Write them "
        f"dense: "
        "X, y = sklearn.datasets.load_svmlight_file(path); np.save('vectors.npy', X.toarray())."
    )


def open_lance(path: Path) -> Any:
    """The Arrow table of a Lance dataset.

    Raises
    ------
    InputError
        The library is not installed, or the dataset is damaged; the message says how to export it.
    """
    way = (
        "Export it: import lance, pyarrow.parquet; pyarrow.parquet.write_table(lance.dataset(path).to_table(), "
        "'vectors.parquet') (with LanceDB: table.to_arrow()), and pass the Parquet file"
    )
    try:
        import lance
    except ImportError as error:
        raise InputError(
            f"{path.name} is a Lance table, and the library to read it is not installed: pip install "
            f"'simgauge[formats]'. {way}."
        ) from error
    try:
        return lance.dataset(str(path)).to_table()
    except Exception as error:  # lance raises ValueError, OSError and panics of its own
        raise InputError(f"{path.name} is a Lance table that cannot be read ({str(error)[:150]}). {way}.") from error


def is_lance(path: Path) -> bool:
    """Whether a directory is a dataset of Lance."""
    return path.is_dir() and (path / "_versions").is_dir() and (path / "data").is_dir()
