"""Models of other libraries in, `Embedding` out, with what each library's conventions say of the tables."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from simgauge.core.tables.kinds import FloatTable
from simgauge.core.tables.tables import row_norms
from simgauge.embedding import Embedding
from simgauge.errors import InputError, ParameterError
from simgauge.read.libraries.found_tables import FoundTables
from simgauge.read.libraries.model_paths import path_adapter
from simgauge.read.libraries.torch_tables import is_state_dict
from simgauge.read.sources.files import is_path

ADAPTERS: Mapping[str, tuple[str, str]] = {
    "sklearn": ("truncated_svd", "from_truncated_svd"),
    "implicit": ("implicit_factors", "from_implicit"),
    "pyspark": ("spark_als", "from_spark_als"),
    "lightfm": ("lightfm_factors", "from_lightfm"),
    "gensim": ("gensim_vectors", "from_gensim"),
    "sentence_transformers": ("sentence_encoder", "from_sentence_transformer"),
    "faiss": ("faiss_index", "from_faiss"),
    "torch": ("torch_tables", "from_torch"),
}
"""First part of the module that defines a model's class, or a class it inherits from -> module here, function."""

UNIT = 1e-3
"""Largest deviation of a norm from one: float16 rows that were normalised keep within it."""


def from_library(
    model: Any,
    *,
    drop_bias: bool = False,
    item_ids: Any = None,
    user_ids: Any = None,
    item_names: Any = None,
    **options: Any,
) -> Embedding:
    """The tables of a trained model of another library, with what is known of how it was trained.

    The library is known by the module of the model's class and is never imported for that.

    Parameters
    ----------
    model : object or path
        scikit-learn TruncatedSVD; `implicit` ALS, BPR and LMF; Spark ALSModel; LightFM; gensim KeyedVectors, Word2Vec
        and FastText; SentenceTransformer; FAISS index; torch module or state dict. Or the path of a Spark model folder,
        of what `implicit` saved (npz), of a FAISS index, a torch checkpoint (weights only), or a static
        sentence-transformers folder.
    drop_bias : bool
        Leave out the columns that are biases. The scores then lack the biases; a bias of the users never changes their
        rankings, one of the items does.
    item_ids, user_ids, item_names : sequence, optional
        Labels of the rows, where the model has none or others are wanted.
    **options
        TruncatedSVD: ``X`` (users are ``transform(X)``), ``sigma_power`` (0 for V as scikit-learn, 1 for VΣ).
        LightFM: ``item_features``, ``user_features``. torch: ``items``, ``users``, ``item_bias``, ``user_bias`` (names
        of tensors). SentenceTransformer: ``texts``, ``queries``, ``batch_size``.

    Returns
    -------
    Embedding
        Shapes and float dtype as in the library; ``users @ items.T`` are the library's scores. In the provenance:
        ``library``, ``version``, ``class``, ``objective`` (see `simgauge.auditing.objectives`; "none" where a model was
        trained without penalty), ``convention``, ``items_from``, ``users_from``, ``bias_columns``, ``unit_rows``
        (whether all norms are one).

    Gauge
    -----
    The tables come in the gauge that the library, its penalty or its initial values chose; ``objective`` tells the
    audit which changes of it training could not see.

    Raises
    ------
    InputError
        An object or file of no known kind, a model that is not fitted, tables that have to be named.
    ParameterError
        An option that this library's adapter does not take.

    Examples
    --------
    >>> from sklearn.decomposition import TruncatedSVD
    >>> X = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0], [1.0, 1.0, 1.0]])
    >>> embedding = from_library(TruncatedSVD(2, random_state=0).fit(X), X=X)
    >>> embedding
    Embedding(3 items, 3 users, 2 components, float64)
    >>> bool(np.allclose(embedding.users @ embedding.items.T, X)), embedding.provenance["objective"]
    (True, 'svd')
    """
    if isinstance(model, Embedding):
        raise InputError("this is an Embedding already: use it as it is.")
    adapter, subject = _adapter(model)
    found = _called(adapter, subject, options)
    return embedding_of(
        found,
        drop_bias=drop_bias,
        item_ids=item_ids,
        user_ids=user_ids,
        item_names=item_names,
    )


def embedding_of(found: FoundTables, *, drop_bias: bool = False, **labels: Any) -> Embedding:
    """The Embedding of what an adapter found, with the labels that are given in place of the model's."""
    columns = [bias.column for bias in found.biases]
    drops = drop_bias and bool(columns)
    recorded = [
        {"side": bias.side, "column": bias.column, "constant": bias.constant, "dropped": drops} for bias in found.biases
    ]
    items, users = (
        np.delete(table, columns, axis=1) if drops and table is not None else table
        for table in (found.items, found.users)
    )
    given = {name: value for name, value in labels.items() if value is not None}
    own = {"item_ids": found.item_ids, "user_ids": found.user_ids, "item_names": found.item_names}
    if "item_ids" in given and "item_names" not in given and found.item_names is found.item_ids:
        own["item_names"] = None  # the model's names were its ids, so they go with them
    embedding = Embedding(items, users, **{**own, **given})
    units = {"items": _unit_rows(embedding.items), "users": embedding.users is not None and _unit_rows(embedding.users)}
    return replace(embedding, provenance={**found.provenance, "bias_columns": recorded, "unit_rows": units})


def _unit_rows(table: FloatTable) -> bool:
    """Whether all rows have norm one: a library, or someone after it, has normalised them."""
    return bool(np.abs(row_norms(table) - 1).max() <= UNIT)


def _adapter(model: Any) -> tuple[Callable[..., FoundTables], Any]:
    if is_path(model):
        of_path = path_adapter(model)
        if of_path is None:
            raise InputError(
                f"{model} is no model of a library that simgauge knows (or is not there). Tables of vectors are read "
                "with read_embedding(path)."
            )
        return of_path
    roots = [base.__module__.split(".")[0] for base in type(model).__mro__]
    root = "torch" if is_state_dict(model) else next((name for name in roots if name in ADAPTERS), None)
    if root is None:
        kind = f"{type(model).__module__}.{type(model).__qualname__}"
        raise InputError(
            f"{kind} is of no library whose conventions simgauge knows ({', '.join(sorted(ADAPTERS))}). Pass its "
            "arrays: Embedding(items, users, item_ids=..., provenance={'objective': ...}), with scores "
            "users @ items.T."
        )
    module, function = ADAPTERS[root]
    return getattr(importlib.import_module(f"simgauge.read.libraries.{module}"), function), model


def _called(adapter: Callable[..., FoundTables], subject: Any, options: Mapping[str, Any]) -> FoundTables:
    accepted = list(inspect.signature(adapter).parameters)[1:]
    unknown = [name for name in options if name not in accepted]
    if unknown:
        what = Path(subject).name if is_path(subject) else type(subject).__name__
        raise ParameterError(
            f"{', '.join(unknown)}: no option for {what}. Its options: {', '.join(accepted) or 'none'}, and for every "
            "model drop_bias, item_ids, user_ids, item_names."
        )
    return adapter(subject, **options)
