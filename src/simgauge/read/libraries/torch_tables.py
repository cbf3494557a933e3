"""PyTorch: tables of modules, state dicts and checkpoints, chosen by name; checkpoints load weights only."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import InputError, MissingDependencyError, optional_import
from simgauge.read.libraries.found_tables import FoundTables, described, library_version, with_bias_columns

MOST_LISTED = 30


def from_torch(
    model: Any,
    items: str | None = None,
    users: str | None = None,
    item_bias: str | None = None,
    user_bias: str | None = None,
    objective: str = "unknown",
) -> FoundTables:
    """Two tables by name (".weight" may be left out), or the only pair called item… and user…; biases on request."""
    is_module = hasattr(model, "state_dict")
    tensors = named_tensors(model.state_dict() if is_module else model)
    chosen = _chosen(tensors, _embedding_names(model) if is_module else None, items, users)
    item_table = as_array(tensors[chosen[0]])
    user_table = None if chosen[1] is None else as_array(tensors[chosen[1]])
    names = {"item_bias": _name(tensors, item_bias), "user_bias": _name(tensors, user_bias)}
    biases: list[Any] = []
    if item_bias is not None or user_bias is not None:
        if user_table is None:
            raise InputError("biases need both tables: pass users= too.")
        columns = [None if name is None else as_array(tensors[name]) for name in names.values()]
        item_table, user_table, biases = with_bias_columns(item_table, user_table, columns[0], columns[1])
    used = {*chosen, *names.values()}
    about = {
        "items_from": chosen[0],
        "users_from": chosen[1] or "none",
        **{side: name for side, name in names.items() if name is not None},
        "tensors_not_used": [name for name in tensors if name not in used][:MOST_LISTED],
    }
    convention = "rows of the named tensors; whatever the module does between tables and score is not applied"
    own = {(True, True): "both", (True, False): "items", (False, True): "users"}
    biased = own.get((item_bias is not None, user_bias is not None))
    about |= {} if biased is None else {"biases": biased}
    provenance = {**described(model, objective=objective, convention=convention, **about), "library": "torch"}
    provenance["version"] = library_version("torch")
    return FoundTables(item_table, user_table, biases=biases, provenance=provenance)


def is_state_dict(model: Any) -> bool:
    """Whether a mapping holds torch tensors, possibly nested."""
    return isinstance(model, Mapping) and any(
        _is_tensor(value) or is_state_dict(value) for value in list(model.values())[:1000]
    )


def is_torch_file(path: Path) -> bool:
    """Whether a zip archive is what `torch.save` writes."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def load_weights(path: Path) -> dict[str, Any]:
    """All tensors of a checkpoint by name; see `load_checkpoint`."""
    return load_checkpoint(path)[0]


def load_checkpoint(path: Path) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """All tensors of a checkpoint by name, and all that it holds, loaded with ``weights_only=True``: no code can run.

    Raises
    ------
    InputError
        torch is missing, the file is damaged, or it holds pickled objects other than tensors and plain values.
    """
    try:
        torch = optional_import("torch", extra="torch", purpose=f"read the checkpoint {path.name}")
    except MissingDependencyError as error:
        raise InputError(
            f"{path.name} is a pickled PyTorch checkpoint (refused: loading one can run code, unless PyTorch itself "
            f"restricts it to weights). {error} Or save the tables as safetensors."
        ) from error
    try:
        with torch.sparse.check_sparse_tensor_invariants(True):  # indices outside a sparse tensor end the process
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises RuntimeError, UnpicklingError, EOFError, KeyError and more
        raise InputError(
            f"{path.name} is a pickled PyTorch checkpoint that cannot be read as weights only (refused: it is damaged, "
            "or holds objects whose loading can run code). Save model.state_dict() or safetensors."
        ) from error
    state = loaded if isinstance(loaded, Mapping) else {}
    tensors = {"tensor": loaded} if _is_tensor(loaded) else named_tensors(state)
    if not tensors:
        raise InputError(f"{path.name} holds no tensors: save model.state_dict().")
    return tensors, state


def named_tensors(state: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Tensors of a state dict; those of nested mappings (a checkpoint with an optimiser) by dotted names."""
    found: dict[str, Any] = {}
    for name, value in state.items():
        if _is_tensor(value):
            found[f"{prefix}{name}"] = value
        elif isinstance(value, Mapping):
            found.update(named_tensors(value, f"{prefix}{name}."))
    return found


def as_array(tensor: Any, name: str = "the tensor") -> NDArray[Any]:
    """A tensor on any device as an array; bfloat16 widened to float32, which holds it exactly.

    Raises
    ------
    InputError
        A number type that NumPy has not, such as the 8-bit floats.
    """
    held = tensor.detach().cpu()
    dtype = str(held.dtype)
    strided = not held.is_sparse and hasattr(held, "untyped_storage")
    if strided and held.numel() * held.element_size() > held.untyped_storage().nbytes():
        raise InputError(
            f"{name} has shape {tuple(held.shape)} and repeats {held.untyped_storage().nbytes():,} bytes by its "
            f"strides "
            "(an expanded tensor): save tensor.contiguous(), if it is a table of vectors."
        )
    try:
        if dtype == "torch.bfloat16":
            held = held.float()
        array: NDArray[Any] = np.array(held.to_dense().numpy() if held.is_sparse else held.numpy())
    except (TypeError, RuntimeError) as error:
        raise InputError(
            f"{name} holds {dtype.removeprefix('torch.')}; expected float64, float32, float16, bfloat16 or integers. "
            "Widen it where its scale is known: tensor.float() * scale."
        ) from error
    return array


def _chosen(
    tensors: Mapping[str, Any], embeddings: list[str] | None, items: str | None, users: str | None
) -> tuple[str, str | None]:
    if items is not None:
        item_name = _name(tensors, items)
        assert item_name is not None  # _name returns None only for None
        return item_name, _name(tensors, users)
    if users is not None:
        raise InputError("users= names a table, items= does not: pass both.")
    names = embeddings if embeddings else list(tensors)
    tables = [name for name in names if tensors[name].ndim == 2 and tensors[name].shape[1] > 1]
    pairs = [(name, user) for name in tables if (user := name.replace("item", "user")) in tables and user != name]
    if len(pairs) == 1:
        return pairs[0]
    if len(tables) == 1:
        return tables[0], None
    raise InputError(
        f"{len(tables)} tensors could be tables of vectors: {_listed(tensors)}. Name them: from_library(…, "
        "items='…', users='…'), or PATH:NAME for each table where a path is read."
    )


def _embedding_names(module: Any) -> list[str]:
    """Weights of nn.Embedding and nn.EmbeddingBag, which are tables for certain."""
    wanted = {"Embedding", "EmbeddingBag"}
    return [
        f"{name}.weight".removeprefix(".")
        for name, part in module.named_modules()
        if any(base.__name__ in wanted and base.__module__.startswith("torch.") for base in type(part).__mro__)
    ]


def _name(tensors: Mapping[str, Any], wanted: str | None) -> str | None:
    if wanted is None:
        return None
    for name in (wanted, f"{wanted}.weight"):
        if name in tensors:
            return name
    raise InputError(f"there is no tensor {wanted!r}. There are: {_listed(tensors)}.")


def _listed(tensors: Mapping[str, Any]) -> str:
    shown = [f"{name} {tuple(tensor.shape)}" for name, tensor in list(tensors.items())[:MOST_LISTED]]
    more = len(tensors) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _is_tensor(value: Any) -> bool:
    return any(base.__module__ == "torch" and base.__name__ == "Tensor" for base in type(value).__mro__)
