"""Files of interactions that are no tables: Matrix Market is read, what holds many items a line is refused with a
recipe."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
from scipy import io, sparse

from simgauge.errors import InputError
from simgauge.read.events.formats import refuse_foreign
from simgauge.read.interactions import read_interactions
from simgauge.read.sources.located import locate


def test_matrix_market_is_read_as_scipy_reads_it(tmp_path):
    matrix = sparse.coo_array(np.array([[1.0, 0, 2], [0, 0, 3], [0, 4, 0]]))
    io.mmwrite(tmp_path / "seen.mtx", matrix)
    found = read_interactions(tmp_path / "seen.mtx")
    assert found.matrix.toarray().tolist() == matrix.toarray().tolist()
    assert not found.item_ids_given
    (tmp_path / "bad.mtx").write_text("%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1 1.0\n")
    with pytest.raises(InputError, match="damaged Matrix Market"):
        read_interactions(tmp_path / "bad.mtx")
    (tmp_path / "wave.mtx").write_text("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1.0 2.0\n")
    with pytest.raises(InputError, match="complex"):
        read_interactions(tmp_path / "wave.mtx")


def test_the_command_for_many_items_a_line_converts_them(tmp_path):
    (tmp_path / "train.txt").write_text("0 1 2 3\n1 4\n2 1 4\n")
    with pytest.raises(InputError) as caught:
        read_interactions(tmp_path / "train.txt")
    command = str(caught.value).split("a line: ")[1].split(", and read")[0]
    subprocess.run(command, shell=True, cwd=tmp_path, check=True)
    found = read_interactions(tmp_path / "pairs.csv", has_header=False)
    assert found.nnz == 6
    assert found.item_ids.tolist() == [1, 2, 3, 4]


def test_tables_frames_and_folders_pass(tmp_path):
    (tmp_path / "triples.txt").write_text("0 1 2\n1 4 2\n2 1 4\n")
    (tmp_path / "words.txt").write_text("tea 1\nmilk 2 3\n")
    for fine in (tmp_path / "triples.txt", tmp_path / "words.txt", tmp_path, {"user": [1]}, [tmp_path / "triples.txt"]):
        assert refuse_foreign(locate(fine)) is None
