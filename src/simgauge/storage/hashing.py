"""Hashes of files: what a saved thing states of itself, and what a report says it was made from."""

from __future__ import annotations

import hashlib
from pathlib import Path


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal; reads in blocks, so files may be larger than memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
