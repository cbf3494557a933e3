"""Figures of the paper's equations: both sides computed, their difference shown."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.stats import special_ortho_group

from simgauge.core.closed_form.dropout import dropout_spectrum, factorize_dropout
from simgauge.core.closed_form.factorize import Factors, factorize, shrinkage
from simgauge.core.gauges.random_gauges import random_gauge_matrix
from simgauge.core.matrices.reweighting import standardized
from simgauge.core.tables.kinds import Matrix, Vector
from simgauge.embedding import Embedding
from simgauge.gauge import canonical_gauge, gauge_transform
from simgauge.paper.paper_data import (
    NO_FULL_RANK,
    NOT_PENALISED,
    VANISHED,
    Figure,
    PaperData,
    cosines,
    identity,
    largest_difference,
)

DRAWS = 20
"""Random changes that a minimum is compared with."""


def first_objective(data: PaperData) -> Figure:
    """Eq. 1 at Eq. 5: no gradient, and every random change raises it."""
    return _minimum(data, data.product_model, "product", 1)


def second_objective(data: PaperData) -> Figure:
    """Eq. 2 at Eq. 6."""
    return data.factors_model_missing or _minimum(data, data.factors_model, "factors", 2)


def weight_decay(data: PaperData) -> Figure:
    """Literal weight decay at its closed form."""
    model = factorize(data.spectrum, "weights", data.l2_product)
    return _minimum(data, model, "weights", 3) if model.decoder.any() else VANISHED


def _minimum(data: PaperData, factors: Factors, penalty: str, stream: int) -> Figure:
    gradient, lowest = data.gradient(factors, penalty), data.loss(factors, penalty)
    rng = data.rng(stream)
    raised = []
    for _ in range(DRAWS):
        moved = (
            table + 0.01 * np.linalg.norm(table) / np.sqrt(table.size) * rng.standard_normal(table.shape)
            for table in factors
        )
        raised.append(data.loss(Factors(*moved), penalty) > lowest)
    holds = gradient <= 1e-9 and all(raised)
    text = (
        f"gradient {'below 1e-9' if gradient <= 1e-9 else f'{gradient:.2g}'} of its scale; {sum(raised)} of "
        f"{DRAWS} random changes raise the loss"
    )
    return Figure(text, gradient, holds)


def rescaled_predictions(data: PaperData) -> Figure:
    """Eq. 3, with a diagonal D and with any invertible G: predictions and the first objective stay."""
    A, B = data.product_model
    rng = data.rng(4)
    D = np.diag(rng.lognormal(size=A.shape[1]))
    G = random_gauge_matrix(A.shape[1], 10.0, rng)
    worst = 0.0
    for change in (D, G):
        moved = Factors(A @ change, B @ np.linalg.inv(change).T)
        worst = max(worst, largest_difference(moved.encoder @ moved.decoder.T, A @ B.T) / float(np.abs(A @ B.T).max()))
        worst = max(worst, abs(data.loss(moved, "product") / data.loss(data.product_model, "product") - 1))
    return identity(worst, "predictions and loss")


def only_the_first(data: PaperData) -> Figure:
    """Eq. 2 rises under every rescaling of Eq. 6 that is not a sign."""
    if data.factors_model_missing:
        return data.factors_model_missing
    A, B = data.factors_model
    lowest, rng = data.loss(data.factors_model, "factors"), data.rng(5)
    rises = []
    for _ in range(DRAWS):
        d = rng.lognormal(sigma=0.5, size=B.shape[1])
        rises.append(data.loss(Factors(A * d, B / d), "factors") / lowest - 1)
    return Figure(f"{sum(r > 0 for r in rises)} of {DRAWS} random D raise Eq. 2", min(rises), min(rises) > 0)


def rotations(data: PaperData) -> Figure:
    """Both objectives and all cosines stay under a rotation."""
    worst = 0.0
    for model, penalty in ((data.product_model, "product"), (data.factors_model, "factors")):
        if not model.decoder.any():
            continue
        R = (
            special_ortho_group.rvs(model.encoder.shape[1], random_state=data.rng(6))
            if model.encoder.shape[1] > 1
            else -np.eye(1)
        )
        moved = Factors(model.encoder @ R, model.decoder @ R)
        worst = max(worst, abs(data.loss(moved, penalty) / data.loss(model, penalty) - 1))
        for pair in zip(_three_cosines(data, moved), _three_cosines(data, model), strict=True):
            worst = max(worst, largest_difference(*pair))
    return identity(worst, "losses and cosines")


def _three_cosines(data: PaperData, factors: Factors) -> tuple[Matrix, Matrix, Matrix]:
    """Item-item, user-user and user-item."""
    users, items = data.users @ factors.encoder, factors.decoder
    return cosines(items), cosines(users), cosines(users, items)


def cosines_under_d(data: PaperData) -> Figure:
    """Eq. 4 and the three cosines that follow from it, against cosines of the rescaled rows."""
    A, B = data.product_model
    d = data.rng(7).lognormal(size=A.shape[1])
    P = data.users @ A
    omega_a, omega_b = 1 / np.linalg.norm(P * d, axis=1), _inverse(np.linalg.norm(B / d, axis=1))
    pairs = (
        (omega_b[:, None] * (B / d**2 @ B.T) * omega_b, cosines(B / d)),
        (omega_a[:, None] * (P * d**2 @ P.T) * omega_a, cosines(P * d)),
        (omega_a[:, None] * (P @ B.T) * omega_b, cosines(P * d, B / d)),
    )
    return identity(max(largest_difference(*pair) for pair in pairs), "formulas and cosines of rescaled rows")


def equation_five(data: PaperData) -> Figure:
    """Eq. 5 against the best rank-k solution by another way: ``H^−½ [H^−½ XᵀX]_k``, H = XᵀX + λI."""
    values, axes = np.linalg.eigh(data.gram + data.l2_product * np.eye(len(data.gram)))
    root = (axes / np.sqrt(values)) @ axes.T
    left, s, right = scipy.linalg.svd(root @ data.gram)
    k = data.n_components
    expected = root @ ((left[:, :k] * s[:k]) @ right[:k])
    A, B = data.product_model
    return identity(largest_difference(A @ B.T, expected) / float(np.abs(expected).max()), "A Bᵀ and the solution by H")


def equation_six(data: PaperData) -> Figure:
    """Eq. 6: users and items have the same diagonal, ``(σ − λ)₊``."""
    if data.factors_model_missing:
        return data.factors_model_missing
    A, B = data.factors_model
    expected = np.diag(np.clip(data.sigma - data.l2_factors, 0, None))
    scale = float(np.abs(expected).max()) or 1.0
    worst = max(largest_difference(A.T @ data.gram @ A, expected), largest_difference(B.T @ B, expected)) / scale
    return identity(worst, "PᵀP, BᵀB and the diagonal of (σ − λ)₊")


def suggested_gauge(data: PaperData) -> Figure:
    """Section 2.3: for Eq. 1, ``B = V √(σs)`` treats users and items alike, as Eq. 6 does."""
    A, B = data.gauges["balanced"]
    users, items = A.T @ data.gram @ A, B.T @ B
    return identity(largest_difference(users, items) / float(np.abs(items).max()), "PᵀP and BᵀB")


def _full_model(data: PaperData, power: float) -> tuple[Matrix, Matrix, Vector] | None:
    """Eq. 5 at k = p with ``D = s^power``: A, B and s."""
    if data.full is None:
        return None
    s = shrinkage(np.asarray(data.full.singular_values, dtype=np.float64), data.l2_product)
    V = np.asarray(data.full.right_vectors, dtype=np.float64)
    return V * s ** (0.5 + power), V * s ** (0.5 - power), s


def case_a_items(data: PaperData) -> Figure:
    """k = p, D = s^½: every item is similar to itself only."""
    model = _full_model(data, 0.5)
    return (
        NO_FULL_RANK
        if model is None
        else identity(largest_difference(cosines(model[1]), np.eye(len(data.gram))), "item-item cosines and I")
    )


def case_a_ranking(data: PaperData) -> Figure:
    """k = p, D = s^½: each user's ranking by cosine is that by dot product."""
    model = _full_model(data, 0.5)
    if model is None:
        return NO_FULL_RANK
    same = _same_rankings(data.users @ model[0], model[1])
    return Figure(f"{same:.0%} of users have the same ranking by cosine and by dot product", same, same == 1)


def case_b_users(data: PaperData) -> Figure:
    """k = p, D = s^−½: user-user cosines are those of the raw rows of X."""
    model = _full_model(data, -0.5)
    return (
        NO_FULL_RANK
        if model is None
        else identity(
            largest_difference(cosines(data.users @ model[0]), cosines(data.users)), "user-user and raw cosines"
        )
    )


def case_b_ranking(data: PaperData) -> Figure:
    """k = p, D = s^−½: rankings by cosine change."""
    model = _full_model(data, -0.5)
    if model is None:
        return NO_FULL_RANK
    if model[2].min() > 1 - 1e-6:
        return NOT_PENALISED  # both D are the identity
    same = _same_rankings(data.users @ model[0], model[1])
    return Figure(f"{same:.0%} of users have the same ranking by cosine and by dot product", same, same < 1)


def case_b_items(data: PaperData) -> Figure:
    """k = p, D = s^−½: item-item cosines are ``Ω V s² Vᵀ Ω``."""
    model = _full_model(data, -0.5)
    if model is None:
        return NO_FULL_RANK
    _, B, s = model
    V = B / s
    M = (V * s**2) @ V.T
    omega = 1 / np.sqrt(np.diag(M))
    return identity(largest_difference(cosines(B), omega[:, None] * M * omega), "item-item cosines and Ω V s² Vᵀ Ω")


def _same_rankings(users: Matrix, items: Matrix) -> float:
    """Share of users whose cosines fall wherever their dot products do."""
    dots = users @ items.T
    order = np.argsort(-dots, axis=1)
    steps = np.diff(np.take_along_axis(cosines(users, items), order, axis=1), axis=1)
    return float((steps <= 1e-9).all(axis=1).mean())


def project_users(data: PaperData) -> Figure:
    """Remedy 2: cosines of rows of ``X A Bᵀ`` are those of users at α = 0, from any gauge."""
    moved = _moved(data)
    return identity(
        largest_difference(
            cosines(canonical_gauge(moved, 0.0).users), cosines(data.users @ _product(data.product_model))
        ),
        "users at α = 0 and rows of the predictions",
    )


def project_items(data: PaperData) -> Figure:
    """Our extension: cosines of columns of the predictions are those of items at α = 1, from any gauge."""
    moved = _moved(data)
    return identity(
        largest_difference(
            cosines(canonical_gauge(moved, 1.0).items), cosines((data.users @ _product(data.product_model)).T)
        ),
        "items at α = 1 and columns of the predictions",
    )


def one_alpha_two_sides(data: PaperData) -> Figure:
    """At the α that projects items, users are whitened."""
    users = np.asarray(canonical_gauge(_moved(data), 1.0).users)
    return identity(largest_difference(users.T @ users, np.eye(users.shape[1])), "PᵀP at α = 1 and I")


def _moved(data: PaperData) -> Embedding:
    """Some users and all items of Eq. 1 in a random gauge."""
    A, B = data.product_model
    return gauge_transform(Embedding(B, users=data.users @ A), random_gauge_matrix(A.shape[1], 5.0, data.rng(8)))


def dropout_is_not_quite_eq_one(data: PaperData) -> Figure:
    """Input dropout is Eq. 1 for columns of equal norm only."""
    raw = _dropout_gap(data.matrix.toarray(), data.n_components)
    scaled = standardized(data.matrix)
    even = _dropout_gap(scaled.matrix.toarray() - scaled.column_mean, data.n_components)
    gap = f"{even:.1g}" if even > 1e-6 else "less than 1e-6"
    text = f"A Bᵀ of dropout and of Eq. 1 differ by {raw:.2f} of the largest entry on X, by {gap} on standardised X"
    return Figure(text, raw, bool(even <= 1e-6 < raw))


def _dropout_gap(X: Matrix, k: int, rate: float = 0.5) -> float:
    counts = X.T @ X
    l2 = rate / (1 - rate) * float(np.diag(counts)[np.diag(counts) > 0].mean())
    dropped = _product(factorize_dropout(*dropout_spectrum(X, k, rate)))
    values, vectors = np.linalg.eigh(counts)
    top = np.argsort(-values)[:k]
    plain = (vectors[:, top] * shrinkage(np.sqrt(np.clip(values[top], 0, None)), l2)) @ vectors[:, top].T
    return largest_difference(dropped, plain) / float(np.abs(plain).max())


def _product(factors: Factors) -> Matrix:
    return np.asarray(factors.encoder @ factors.decoder.T)


def _inverse(norms: Vector) -> Vector:
    return np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
