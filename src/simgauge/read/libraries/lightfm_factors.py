"""LightFM: representations of items and users as sums over their features, biases as columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from simgauge.errors import InputError
from simgauge.read.libraries.found_tables import FoundTables, described, not_fitted, with_bias_columns


def from_lightfm(model: Any, item_features: Any = None, user_features: Any = None) -> FoundTables:
    """Items [representation, bias, 1] and users [representation, 1, bias], so that `predict` is their dot product."""
    if getattr(model, "item_embeddings", None) is None:
        raise not_fitted(model, "item_embeddings")
    items, item_bias = _representation(model, "item", item_features)
    users, user_bias = _representation(model, "user", user_features)
    items, users, biases = with_bias_columns(items, users, item_bias, user_bias)
    penalised = getattr(model, "item_alpha", 0) > 0 and getattr(model, "user_alpha", 0) > 0
    return FoundTables(
        items,
        users,
        biases=biases,
        provenance=described(
            model,
            objective=_objective(str(model.loss)),
            penalty="factors" if penalised else "none",
            biases="both",
            convention="items [factors, item bias, 1], users [factors, 1, user bias]",
            items_from="item_embeddings" if item_features is None else "item_features @ item_embeddings",
            users_from="user_embeddings" if user_features is None else "user_features @ user_embeddings",
            loss=str(model.loss),
            alphas={"items": float(getattr(model, "item_alpha", 0)), "users": float(getattr(model, "user_alpha", 0))},
        ),
    )


def _representation(model: Any, side: str, features: Any) -> tuple[Any, Any]:
    table, bias = getattr(model, f"{side}_embeddings"), getattr(model, f"{side}_biases")
    if features is None:
        return table, bias
    if features.shape[1] != len(table):
        raise InputError(
            f"{side}_features has {features.shape[1]} columns and the model {len(table)} {side} features: pass the "
            "matrix of the fit."
        )
    return np.asarray(features @ table), np.asarray(features @ bias)


def _objective(loss: str) -> str:
    """With alphas of 0, LightFM's default, no loss selects a gauge: only initial scale and early stopping do."""
    return "warp" if loss.startswith("warp") else "bpr" if loss == "bpr" else "lmf"
