"""Paths that are models of a library rather than plain tables, known by their content."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simgauge.errors import InputError
from simgauge.read.libraries.faiss_index import from_faiss_file, is_faiss_file
from simgauge.read.libraries.found_tables import FoundTables
from simgauge.read.libraries.implicit_factors import from_saved_implicit, is_saved_implicit
from simgauge.read.libraries.sentence_encoder import from_sentence_transformer_folder, is_sentence_transformer_folder
from simgauge.read.libraries.spark_als import from_spark_folder, is_spark_model
from simgauge.read.libraries.torch_tables import from_torch, is_torch_file, load_weights
from simgauge.read.sources.files import content_of, is_path


def path_adapter(source: Any) -> tuple[Callable[..., FoundTables], Any] | None:
    """The adapter of a path and what to call it with; None when the path is no model that simgauge knows.

    Raises
    ------
    InputError
        gensim's own files, which are pickles.
    """
    if not is_path(source) or isinstance(source, (list, tuple)):
        return None
    path = Path(os.fspath(source))
    if is_sentence_transformer_folder(path):
        return from_sentence_transformer_folder, path
    if is_spark_model(path):
        return from_spark_folder, path
    if not path.is_file():
        return None
    _refuse_gensim(path)
    content = content_of(path)
    if content == "zip" and is_torch_file(path):
        return _from_checkpoint, path
    if content == "zip" and is_saved_implicit(path):
        return from_saved_implicit, path
    if content == "binary" and is_faiss_file(path):
        return from_faiss_file, path
    return None


def _from_checkpoint(
    path: Path,
    items: str | None = None,
    users: str | None = None,
    item_bias: str | None = None,
    user_bias: str | None = None,
) -> FoundTables:
    return from_torch(load_weights(path), items, users, item_bias, user_bias)


def _refuse_gensim(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:1] == b"\x80" and b"gensim." in head:
        raise InputError(
            f"{path.name} is a Python pickle of gensim: refused, because loading one can run any code. Load it with "
            "gensim where you trust it, then wv.save_word2vec_format(path, binary=True), or pass the object itself to "
            "from_library."
        )
