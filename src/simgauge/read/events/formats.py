"""Text files of interactions that are no tables of one event a row: read by their own reader, or refused with a
recipe."""

from __future__ import annotations

import re
from pathlib import Path

from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.read.events.understood import one_pair_a_line
from simgauge.read.sources.located import Located

SEEN_BYTES = 1 << 16

SPARSE_LINE = re.compile(r"[^\s:]+([ \t]+[0-9]+:[-+0-9.eE]+)+[ \t]*(#.*)?")
"""A label and index:value pairs, as svmlight, libsvm and libfm write them."""


def is_matrix_market(head: bytes) -> bool:
    """Whether a file begins with the banner of Matrix Market."""
    return head[:14].lower() == b"%%matrixmarket"


def read_matrix_market(path: Path) -> Interactions:
    """Interactions from a Matrix Market file, users in rows.

    Raises
    ------
    InputError
        The file is damaged, or holds complex numbers.
    """
    from scipy.io import mmread
    from scipy.sparse import csr_array

    try:
        matrix = csr_array(mmread(path))
    except (ValueError, OverflowError, OSError) as error:
        raise InputError(f"{path.name} is a damaged Matrix Market file: {error}.") from error
    if matrix.dtype.kind == "c":
        raise InputError(f"{path.name} holds complex numbers, which are no weights of interactions.")
    return Interactions(matrix.astype("float64"), report={"source": path.name, "format": "Matrix Market"})


def refuse_foreign(located: Located | None) -> None:
    """Raise for a file of text in which a line holds many items: the message has the command that converts it.

    Raises
    ------
    InputError
        A file of svmlight, or of LightGCN's kind (a user and all of their items in a line).
    """
    if located is None or not located.single or located.content != "text":
        return
    path = located.paths[0]
    head = located.head[: SEEN_BYTES + 1]
    lines = [line for line in head.decode("utf-8", "replace").splitlines() if line.strip()]
    lines = lines[:-1] if len(head) > SEEN_BYTES else lines
    if not lines:
        return
    if all(SPARSE_LINE.fullmatch(line.strip()) for line in lines):
        raise InputError(
            f"{path.name} is in the svmlight format (a label, then index:value pairs): convert it: python -c "
            '"import scipy.sparse as s; from sklearn.datasets import load_svmlight_file as load; '
            f"s.save_npz('interactions.npz', s.csr_matrix(load('{path.name}')[0]))\""
        )
    fields = [line.split() for line in lines]
    numbers = all(re.fullmatch(r"[0-9]+", value) for row in fields for value in row)
    first = [row[0] for row in fields]
    if numbers and len({len(row) for row in fields}) > 1 and len(set(first)) == len(first):
        raise InputError(
            f"{path.name} holds a user and all of their items in each line, as LightGCN's files do: write one pair a "
            f"line: {one_pair_a_line(path.name)}, and read that with --no-header (has_header=False)."
        )
