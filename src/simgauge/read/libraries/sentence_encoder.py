"""sentence-transformers: vectors of given texts, and the token table of a saved static embedding model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simgauge.errors import InputError, ParameterError
from simgauge.read.libraries.found_tables import FoundTables, described
from simgauge.read.sources.tensors import read_tensor, tensor_shapes

TABLE_NAMES = ("embedding.weight", "embeddings")
HOW = (
    "An encoder has no table: encode the texts you ship, from_library(SentenceTransformer(folder), texts=[...], "
    "queries=[...]), or pass model.encode(texts) as the items"
)


def from_sentence_transformer(
    model: Any, texts: Sequence[str] | None = None, queries: Sequence[str] | None = None, batch_size: int = 32
) -> FoundTables:
    """Items are the encoded texts and users the encoded queries, where some are given."""
    if not hasattr(model, "encode") or "SentenceTransformer" not in {base.__name__ for base in type(model).__mro__}:
        raise InputError(f"of sentence-transformers, SentenceTransformer is read, not {type(model).__name__}. {HOW}.")
    for name, given in (("texts", texts), ("queries", queries)):
        if isinstance(given, str) or (given is not None and len(given) == 0):
            raise ParameterError(f"{name}: expected a list of texts, received {given!r}.")
    if texts is None:
        raise InputError(f"pass texts=[...]. {HOW}.")
    encode = {"batch_size": batch_size, "show_progress_bar": False, "convert_to_numpy": True}
    parts = [type(part).__name__ for part in model.children()]
    normalised = bool(parts) and parts[-1] == "Normalize"
    has_sides = hasattr(model, "encode_query") and hasattr(model, "encode_document")
    items = (model.encode_document if has_sides else model.encode)(list(texts), **encode)
    users = None
    if queries is not None:
        users = (model.encode_query if has_sides else model.encode)(list(queries), **encode)
    return FoundTables(
        np.asarray(items),
        None if users is None else np.asarray(users),
        item_names=[str(text) for text in texts],
        provenance=described(
            model,
            objective="unit-sphere" if normalised else "unknown",
            convention="a Normalize module ends the model, so its vectors have norm one"
            if normalised
            else "no Normalize module: norms are free, a dot product and a cosine differ, and which of them the loss "
            "saw is "
            "not stored (cosine, siamese for dot products of one encoder, contrastive for two)",
            items_from="encode_document(texts)" if has_sides else "encode(texts)",
            users_from="none" if queries is None else f"{'encode_query' if has_sides else 'encode'}(queries)",
            modules=parts,
            similarity=_similarity(model),
        ),
    )


def is_sentence_transformer_folder(folder: Path) -> bool:
    """Whether a folder is what `SentenceTransformer.save` writes."""
    return folder.is_dir() and (folder / "modules.json").is_file()


def from_sentence_transformer_folder(folder: Path) -> FoundTables:
    """The token table of a model that is one static table; other models are refused, with how to encode."""
    modules = _json(folder / "modules.json")
    first = modules[0] if isinstance(modules, list) and modules and isinstance(modules[0], dict) else {}
    if not str(first.get("type", "")).endswith("StaticEmbedding"):
        raise InputError(f"{folder.name} is a sentence-transformers model. {HOW}.")
    place = folder / str(first.get("path", ""))
    if not place.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{folder.name}/modules.json names a folder outside of the model: {first.get('path')!r}.")
    weights = place / "model.safetensors"
    if not weights.is_file():
        raise InputError(f"{folder.name} has no {first.get('path', '')}/model.safetensors. {HOW}.")
    shapes = tensor_shapes(weights)
    name = next((name for name in TABLE_NAMES if name in shapes), None)
    if name is None:
        raise InputError(f"{weights.name} holds {', '.join(shapes) or 'nothing'}; expected {TABLE_NAMES[0]}.")
    table = read_tensor(weights, name)
    tokens = _tokens(place / "tokenizer.json", len(table))
    provenance = {
        "library": "sentence_transformers",
        "version": None,
        "class": str(first["type"]),
        "objective": "unknown",
        "convention": "vectors of tokens; a text is the mean of its tokens' vectors",
        "items_from": f"{name} of model.safetensors",
        "users_from": "none",
    }
    return FoundTables(table, item_ids=None, item_names=tokens, provenance=provenance)


def _similarity(model: Any) -> str | None:
    name = getattr(model, "similarity_fn_name", None)
    return None if name is None else str(getattr(name, "value", name))


def _tokens(path: Path, n_rows: int) -> list[str] | None:
    """Tokens by row; None when the tokenizer is not there or does not number the rows."""
    if not path.is_file():
        return None
    loaded = _json(path)
    vocabulary = loaded.get("model", {}).get("vocab") if isinstance(loaded, dict) else None
    if isinstance(vocabulary, list):  # Unigram: [token, log probability]
        vocabulary = {entry[0]: row for row, entry in enumerate(vocabulary)}
    if not isinstance(vocabulary, dict):
        return None
    numbered = vocabulary | {entry["content"]: entry["id"] for entry in loaded.get("added_tokens", [])}
    by_row = {row: token for token, row in numbered.items()}
    return [str(by_row[row]) for row in range(n_rows)] if set(range(n_rows)) <= set(by_row) else None


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} is damaged or cannot be read: {error}.") from error
