"""Arrays, tensors, sparse matrices and mappings through the Python functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from read.vectors.table_problem import COUNTED, NUMBERS, ROWS, TABLE, WORDS, assert_whole, read
from simgauge.errors import InputError
from simgauge.read.vectors import memory_vectors


@pytest.mark.parametrize(
    ("source", "ids", "where"),
    [
        (TABLE, COUNTED, "the array"),
        (ROWS, COUNTED, "the array"),
        (list(TABLE), COUNTED, "the array"),
        (np.asmatrix(TABLE), COUNTED, "the array"),
        (np.asfortranarray(TABLE), COUNTED, "the array"),
        (sparse.csr_matrix(TABLE), COUNTED, "the sparse matrix"),
        (sparse.coo_array(TABLE), COUNTED, "the sparse matrix"),
        (dict(zip(WORDS, TABLE, strict=True)), WORDS, "the values of the mapping"),
        (dict(zip(NUMBERS, ROWS, strict=True)), NUMBERS, "the values of the mapping"),
    ],
)
def test_read_whole(source: Any, ids: list[Any], where: str) -> None:
    assert assert_whole(source, ids)["vectors"] == where


def test_tensors() -> None:
    torch = pytest.importorskip("torch")
    assert_whole(torch.tensor(TABLE), COUNTED)
    assert_whole(torch.nn.Parameter(torch.tensor(TABLE)), COUNTED)
    found, understood = read(torch.tensor(TABLE).bfloat16(), users=torch.tensor(TABLE)[:3])
    assert understood["dtype"] == "bfloat16"
    assert found.n_users == 3


def test_sparse_matrices_that_do_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_vectors, "LARGEST_DENSE", 600)
    with pytest.raises(InputError, match=r"the sparse matrix is 40 x 4.*TruncatedSVD"):
        read(sparse.csr_matrix(TABLE))
    assert_whole(TABLE, COUNTED)


def test_what_has_no_rows_and_columns() -> None:
    for source in (np.zeros((2, 3, 4)), np.zeros(3), [[1.0, 2.0], [3.0]]):
        with pytest.raises(InputError, match="expected a two-dimensional table"):
            read(source)
