"""No error of a library leaves the readers of files; errors made for people, and of objects in memory, pass."""

from __future__ import annotations

import csv
import os
import tokenize
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from simgauge.errors import InputError, MissingDependencyError, ParameterError
from simgauge.read.embedding_files import read_embedding
from simgauge.read.interactions import read_interactions
from simgauge.read.sources.net import reads_files

FOREIGN = [
    zlib.error("incorrect data check"), csv.Error("field larger than field limit (131072)"), tokenize.TokenError("EOF"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), RecursionError("too deep"), MemoryError(),
    pa.ArrowInvalid("not a Parquet file"), OSError(5, "Input/output error"), KeyError("x"), AssertionError(),
]  # fmt: skip


@reads_files
def reader(source: object, *, error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
def test_errors_of_libraries_get_the_name_of_the_file(error: Exception) -> None:
    for source in ("data/table.csv", Path("data/table.csv"), ["data/table.csv", "other.csv"]):
        with pytest.raises(
            InputError, match=r"data/table\.csv: (cannot be read|reading it takes more memory)"
        ) as caught:
            reader(source, error=error)
        assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [ParameterError("k"), MissingDependencyError("m"), ImportError("i"), KeyboardInterrupt(), UserWarning("w")]
)
def test_what_is_made_for_people_passes(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        reader("table.csv", error=error)
    assert caught.value is error


def test_errors_of_objects_in_memory_and_passwords() -> None:
    with pytest.raises(KeyError):
        reader(np.eye(2), error=KeyError("x"))
    with pytest.raises(InputError) as caught:
        reader("postgresql://me:secret@host/db", error=KeyError("x"))
    assert "secret" not in str(caught.value)


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        for read in (read_embedding, read_interactions):
            with pytest.raises(InputError, match="is a pipe, a socket or a device"):
                read(path)
