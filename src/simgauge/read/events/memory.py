"""Amounts of memory: written by people, left on this machine, needed by interactions."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow.parquet as pq

from simgauge.errors import ParameterError

BYTES_PER_TEXT_BYTE = 16
"""What ids of text need for each of their bytes in a Parquet file, as Python's strings, sorted, and looked up: measured
with 8 and 40 letters, 16.5 and 10 (`tests/test_memory_limits.py` holds them to it)."""

UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
         "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}  # fmt: skip

BYTES_PER_EVENT = 72
"""What `read_interactions` needs for an event at its peak: row numbers, weight, sorting, result."""


def memory_bytes(amount: str | int, *, least: int = 1) -> int:
    """Bytes of "2GiB", "512 MB" or a number of bytes.

    Raises
    ------
    ParameterError
        Neither, or less than `least` bytes.

    Examples
    --------
    >>> memory_bytes("2GiB"), memory_bytes("1.5 MB")
    (2147483648, 1500000)
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]*)\s*", str(amount))
    if isinstance(amount, bool) or found is None or found.group(2).lower() not in UNITS:
        raise ParameterError(f"memory={amount!r}: expected an amount such as '2GiB', '800MB' or a number of bytes.")
    wanted = int(float(found.group(1)) * UNITS[found.group(2).lower()])
    if wanted < least:
        raise ParameterError(f"memory={amount!r}: expected {in_words(least)} or more.")
    return wanted


def in_words(count: float) -> str:
    """Bytes as a person reads them.

    Examples
    --------
    >>> in_words(3 << 29), in_words(200 << 20)
    ('1.5 GiB', '200 MiB')
    """
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{max(1, round(count / (1 << 20)))} MiB"


def available_memory() -> int | None:
    """Bytes that this process may still take: what the machine has left, or its control group if that is less."""
    found = [value for value in (_meminfo(), _cgroup()) if value is not None]
    if found:
        return min(found)
    try:
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):
        return None


def in_memory_need(paths: list[Path]) -> int | None:
    """Bytes that `read_interactions` needs for these Parquet files, by their footers; None where one is no Parquet."""
    rows, text = 0, 0
    for path in paths:
        with path.open("rb") as file:
            if file.read(4) != b"PAR1":
                return None
        try:
            footer = pq.read_metadata(path)
            rows += int(footer.num_rows)
            text += _text_bytes(footer)
        except (OSError, ValueError):  # reading will say what is wrong with it
            return None
    return rows * BYTES_PER_EVENT + text * BYTES_PER_TEXT_BYTE


def _text_bytes(footer: pq.FileMetaData) -> int:
    """Bytes of all text in a Parquet file before compression: distinct values once a row group where it has few."""
    groups = (footer.row_group(number) for number in range(footer.num_row_groups))
    columns = (group.column(number) for group in groups for number in range(group.num_columns))
    return sum(int(column.total_uncompressed_size) for column in columns if column.physical_type == "BYTE_ARRAY")


def _meminfo() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")), None)


def _cgroup() -> int | None:
    """Version 2 of control groups; "max" means no limit."""
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
        return None if limit == "max" else max(0, int(limit) - used)
    except (OSError, ValueError):
        return None
