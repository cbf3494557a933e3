"""scikit-learn's TruncatedSVD: items are V, users U diag(σ); the other conventions of the same SVD on request."""

from __future__ import annotations

from typing import Any

import numpy as np

from simgauge.errors import InputError, ParameterError
from simgauge.read.libraries.found_tables import FoundTables, described, not_fitted

CONVENTIONS = {0.0: "items V, users XV", 0.5: "items V diag(√σ), users XV diag(1/√σ)", 1.0: "items V diag(σ)"}


def from_truncated_svd(model: Any, X: Any = None, sigma_power: float = 0.0) -> FoundTables:
    """Items ``components_.T`` = V and users ``transform(X)`` = XV, or V diag(σ^a) and XV diag(σ^-a)."""
    if type(model).__name__ != "TruncatedSVD":
        raise InputError(
            f"of scikit-learn, TruncatedSVD is read; received {type(model).__name__}. Pass the arrays whose dot "
            "products you use: Embedding(items, users)."
        )
    components = getattr(model, "components_", None)
    if components is None:
        raise not_fitted(model, "components_")
    if not 0.0 <= sigma_power <= 1.0:
        raise ParameterError(f"sigma_power={sigma_power!r}: expected 0 (V), 0.5 (V√Σ), 1 (VΣ) or between.")
    scale = np.asarray(model.singular_values_, dtype=np.float64) ** sigma_power
    inverse = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0)
    items = (components.T * scale).astype(components.dtype)
    users = None
    if X is not None:
        if X.shape[1] != len(items):
            raise InputError(f"X has {X.shape[1]} columns and the model {len(items)} items: pass the X of the fit.")
        reduced = model.transform(X)
        users = (reduced * inverse).astype(reduced.dtype)
    taken = "transform(X)" if X is not None else "none: pass X= to have them"
    return FoundTables(
        items,
        users,
        provenance=described(
            model,
            objective="svd",
            convention=CONVENTIONS.get(sigma_power, f"items V diag(σ^{sigma_power:g})"),
            items_from=f"components_.T times σ^{sigma_power:g}",
            users_from=f"{taken}, times σ^-{sigma_power:g}" if users is not None else taken,
            sigma_power=float(sigma_power),
        ),
    )
