"""Models of `implicit`: ALS, BPR with its bias column, LMF with its two; objects and what their `.save` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simgauge.errors import InputError
from simgauge.read.libraries.found_tables import Bias, FoundTables, described, not_fitted
from simgauge.read.sources.npz import npz_shapes, read_npz_array

OBJECTIVES = {
    "AlternatingLeastSquares": "als",
    "BayesianPersonalizedRanking": "bpr",
    "LogisticMatrixFactorization": "lmf",
}
CLASS_BY_KEY = {
    "cg_steps": "AlternatingLeastSquares",
    "verify_negative_samples": "BayesianPersonalizedRanking",
    "neg_prop": "LogisticMatrixFactorization",
}
"""A parameter that only this class writes into its file; the class itself is not written."""
CONVENTIONS = {
    "als": "confidence-weighted least squares with one L2 penalty on both factors, no biases",
    "bpr": "last column: item bias, constant 1 in the users",
    "lmf": "last but one column: item bias, constant 1 in the users; last column: user bias, constant 1 in the items",
}
BIASES = {"als": "none", "bpr": "items", "lmf": "both"}
SIMILAR_ITEMS = "cosine of item_factors as stored, bias columns included"


def from_implicit(model: Any) -> FoundTables:
    """``item_factors`` and ``user_factors``; the scores of `recommend` are their dot products."""
    inner = getattr(model, "model", None)
    kind = next((base.__name__ for base in type(model).__mro__ if base.__name__ in OBJECTIVES), None)
    if kind is None and inner is not None:  # implicit.ann wraps the model that was trained
        return from_implicit(inner)
    if kind is None:
        raise InputError(
            f"implicit's {type(model).__name__} has no factors on both sides. Read are {', '.join(OBJECTIVES)}; pass "
            "other tables as arrays: Embedding(items, users)."
        )
    if getattr(model, "item_factors", None) is None or getattr(model, "user_factors", None) is None:
        raise not_fitted(model, "item_factors")
    items, users = _on_cpu(model.item_factors), _on_cpu(model.user_factors)
    training = _training(kind, getattr(model, "regularization", None))
    about = described(model, **training, convention=CONVENTIONS[OBJECTIVES[kind]])
    return _found(items, users, kind, about)


def is_saved_implicit(path: Path) -> bool:
    """Whether an npz file is what `.save` of one of these models wrote."""
    try:
        names = set(npz_shapes(path))
    except InputError:  # another archive, or a damaged one: whoever reads it says so
        return False
    return {"item_factors", "user_factors", "regularization"} <= names and bool(names & set(CLASS_BY_KEY))


def from_saved_implicit(path: Path) -> FoundTables:
    """The tables of a file for which `is_saved_implicit` holds, without importing implicit."""
    shapes = npz_shapes(path)
    kind = next(CLASS_BY_KEY[key] for key in CLASS_BY_KEY if key in shapes)
    items, users = read_npz_array(path, "item_factors"), read_npz_array(path, "user_factors")
    about = {
        "library": "implicit",
        "version": None,
        "class": f"implicit.cpu.{OBJECTIVES[kind]}.{kind}",
        **_training(kind, float(read_npz_array(path, "regularization"))),
        "convention": CONVENTIONS[OBJECTIVES[kind]],
    }
    return _found(items, users, kind, about)


def _found(items: Any, users: Any, kind: str, about: Mapping[str, Any]) -> FoundTables:
    """With the columns that are biases: those of the class, unless the tables were altered and show otherwise."""
    if items.ndim != 2 or users.ndim != 2 or items.shape[1] != users.shape[1]:
        raise InputError(
            f"item_factors {items.shape} and user_factors {users.shape} are not tables of one latent space: the model "
            "was damaged or altered. Save it again."
        )
    width = items.shape[1]
    if kind == "BayesianPersonalizedRanking":
        biases = [Bias("items", width - 1)]
    elif kind == "LogisticMatrixFactorization":
        biases = [Bias("items", width - 2), Bias("users", width - 1)]
    else:
        biases = []
    others = {"items": users, "users": items}
    biases = [bias for bias in biases if (others[bias.side][:, bias.column] == bias.constant).all()]
    more = {"items_from": "item_factors", "users_from": "user_factors", "library_similar_items": SIMILAR_ITEMS}
    return FoundTables(items, users, biases=biases, provenance={**about, **more})


def _training(kind: str, regularization: float | None) -> dict[str, str]:
    """Loss, penalty and biases: the penalty is on factors and biases alike, and at 0 nothing selects a gauge or
    shift."""
    objective = OBJECTIVES[kind]
    penalty = "none" if regularization is not None and regularization == 0 else "factors"
    return {"objective": objective, "penalty": penalty, "biases": BIASES[objective]}


def _on_cpu(factors: Any) -> Any:
    return factors.to_numpy() if hasattr(factors, "to_numpy") else np.asarray(factors)
