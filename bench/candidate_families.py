"""Kinds of candidates, those of the literature among them, as dense similarities of all items: for bench/candidates.py.

Each family is a generator of (text, similarity): rows are queries, larger is nearer. What is kept in the package is
computed here by the formula once more, so that a family is measured also where the package does not hold it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.sparse as sp

from simgauge.core.gauges.canonical import canonical_core, power_map
from simgauge.core.gauges.folded_bias import bias_columns
from simgauge.core.matrices.reweighting import Reweighted, damped, propensity, standardized
from simgauge.core.scores.coconsumption_scores import coconsumption_scores
from simgauge.core.spectral.centered_spectrum import reweighted_spectrum

K, MAX_DEQL_ITEMS, SEED = 20, 600, 0
GAMMAS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)

Similar = Iterator[tuple[str, np.ndarray]]


class Judge:
    """Recall@20 of lists, plain and weighted by popularity^-½ and ^-1, on the choosing and on the reporting users."""

    def __init__(self, split: Any) -> None:
        self.sides = []
        for part in split.evidence.split(0.5, SEED):
            rows = part.users_with_both()
            used, later = (
                sp.csr_array(side.matrix.astype(bool).astype(float))[rows] for side in (part.used, part.held_out)
            )
            self.sides.append((used, later))
        popularity = np.asarray(split.evidence.popularity, dtype=float)
        self.weights = np.stack([popularity**-0.5, 1.0 / popularity], axis=1)

    def __call__(self, similarity: np.ndarray) -> list[list[float]]:
        np.fill_diagonal(similarity, -np.inf)
        lists = np.argpartition(-similarity, K, axis=1)[:, :K]
        means = []
        for used, later in self.sides:
            found = coconsumption_scores(lists, used, later, self.weights)
            means.append([float(found.plain.mean()), *found.weighted.mean(axis=0).tolist()])
        return means


def families(split: Any, models: dict[str, Any]) -> Iterator[tuple[str, list[float], list[float], str, int]]:
    """Family, its best candidate's numbers on either half, its text, and how many there were."""
    judge, X = Judge(split), split.training.matrix
    for name, candidates in [*from_interactions(X), *refits(X), *of_models(models)]:
        tried = [(judge(similarity), text) for text, similarity in candidates]
        if tried:
            best = max(tried, key=_gain)
            yield name, *best[0], best[1], len(tried)


def _gain(candidate: tuple[list[list[float]], str]) -> float:
    return float(np.log(np.maximum(candidate[0][0][:2], 1e-9)).sum())


def by_norm(text: str, vectors: np.ndarray, gammas: tuple[float, ...] = GAMMAS) -> Similar:
    """Cosine at γ = 0 to dot product at γ = 1: the norm of the query does not matter for its list."""
    norms = np.linalg.norm(vectors, axis=1)
    unit = (vectors / np.where(norms > 0, norms, 1.0)[:, None]).astype(np.float32)
    cosine = unit @ unit.T
    for gamma in gammas:
        yield f"{text} γ={gamma:g}", cosine * (norms[None, :] ** gamma).astype(np.float32) if gamma else cosine.copy()


def from_interactions(X: sp.csr_array) -> list[tuple[str, Similar]]:
    used = sp.csr_array(X.astype(bool).astype(float))
    weighted = [(b, gamma) for b in (0.0, 0.25, 0.5) for gamma in (0.0, 0.2, 0.4, 0.6)]
    exponents = [(a, b, 0.0) for a in (0.25, 0.5) for b in (0.0, 0.25, 0.5)]
    return [
        ("raw columns, cosine", ((text, _raw(X, 0.0, 0.0)) for text in ("",))),
        ("raw columns, weighted", ((f"b={b} γ={gamma}", _raw(X, b, gamma)) for b, gamma in weighted)),
        ("shrunk co-counts", _shrunk(X, used)),
        ("Jaccard", _jaccard(used)),
        ("EASE", _ease(X, [(0.0, 0.0, 0.0)])),
        ("EDLAE (dropout on the diagonal)", _ease(X, [(0.0, 0.0, 0.33), (0.0, 0.0, 0.5)])),
        (
            "EASE with exponents, scaled back (DAN)",
            _ease(X, exponents),
        ),
        ("DEQL (EDLAE with b > 0)", _deql(X)),
        ("EASE as vectors", _as_vectors(X)),
    ]


def _raw(X: sp.csr_array, user_exponent: float, gamma: float) -> np.ndarray:
    Y = propensity(X, 0.0, user_exponent).matrix
    G = np.asarray((Y.T @ Y).toarray())
    norms = np.sqrt(np.where(np.diag(G) > 0, np.diag(G), 1.0))
    return G / norms[None, :] ** (1 - gamma)


def _shrunk(X: sp.csr_array, used: sp.csr_array) -> Similar:
    together = np.asarray((used.T @ used).toarray())
    for b in (0.0, 0.5):
        for shrinkage in (3.0, 10.0, 30.0):
            yield f"b={b} s={shrinkage}", _raw(X, b, 0.0) * (together / (together + shrinkage))


def _jaccard(used: sp.csr_array) -> Similar:
    G = np.asarray((used.T @ used).toarray())
    counts = np.diag(G)
    yield "", G / np.maximum(counts[:, None] + counts[None, :] - G, 1.0)


def _precision(X: sp.csr_array, a: float, b: float, dropout: float, strength: float) -> np.ndarray:
    Y = propensity(X, a, b).matrix
    G = np.asarray((Y.T @ Y).toarray())
    diagonal = strength * np.mean(np.diag(G)) + dropout / (1 - dropout) * np.diag(G)
    return np.asarray(np.linalg.inv(G + np.diag(diagonal)))


def _ease(X: sp.csr_array, settings: list[tuple[float, float, float]]) -> Similar:
    popularity = np.maximum(np.bincount(X.indices, minlength=X.shape[1]), 1.0)
    for a, b, dropout in settings:
        for strength in (0.3, 1.0, 3.0, 10.0, 30.0):
            P = _precision(X, a, b, dropout, strength)
            yield f"a={a} b={b} p={dropout} λ={strength}", -P / np.diag(P) * popularity**a


def _as_vectors(X: sp.csr_array) -> Similar:
    """Partial correlations, symmetric; their positive part of low rank as vectors, and its square."""
    for b in (0.25, 0.5):
        P = _precision(X, 0.0, b, 0.0, 3.0)
        S = -P / np.sqrt(np.outer(np.diag(P), np.diag(P)))
        np.fill_diagonal(S, 0.0)
        values, V = np.linalg.eigh(S)
        for rank in (64, 256):
            kept = np.maximum(values[-rank:], 0.0)
            yield from by_norm(f"b={b} rank={rank}", V[:, -rank:] * np.sqrt(kept), (0.0, 0.25, 1.0))
            yield from by_norm(f"squared b={b} rank={rank}", V[:, -rank:] * kept, (0.0, 0.25))


def _deql(X: sp.csr_array) -> Similar:
    """Column j minimises E[(a² where its input was dropped, b² where it was kept) (X_uj − Σ_i δ_ui X_ui B_ij)²]: with
    G = XᵀX and q = 1 − p, the other inputs have second moments q²G + qp diag(G), whether j itself was kept or not."""
    n = X.shape[1]
    if n > MAX_DEQL_ITEMS:
        return
    G = np.asarray((X.T @ X).toarray(), dtype=float)
    for p in (0.25, 0.5):
        q = 1 - p
        M = q * q * G + q * p * np.diag(np.diag(G))
        for b in (0.25, 0.5):
            for strength in (1.0, 10.0):
                B = np.empty_like(G)
                for j in range(n):
                    H = (p + q * b * b) * M
                    H[j], H[:, j] = q * b * b * q * G[j], q * b * b * q * G[:, j]
                    H[j, j] = q * b * b * G[j, j]
                    target = (p + q * b * b) * q * G[:, j]
                    target[j] = q * b * b * G[j, j]
                    H[np.diag_indices(n)] += strength * np.mean(np.diag(G))
                    B[:, j] = np.linalg.solve(H, target)
                yield f"p={p} b={b} λ={strength}", B


def refits(X: sp.csr_array) -> list[tuple[str, Similar]]:
    popularity = np.maximum(np.bincount(X.indices, minlength=X.shape[1]), 1.0)
    ordered = np.sort(popularity)
    gini = float((2 * np.arange(1, len(ordered) + 1) - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))
    flat, grid = (0.0,), [(a, b) for a in (0.0, 0.25, 0.5) for b in (0.25, 0.5, 0.75)]
    before = [(a, b) for a in (0.0, 0.5) for b in (0.0, 0.5)]
    few = [(f"a, b={pair}", propensity(X, *pair)) for pair in before]
    many = [(f"a, b={pair}", propensity(X, *pair)) for pair in grid]
    by_gini = [(f"a={gini / 2:.2f}", propensity(X, gini / 2, 0.25))]
    damping = [(f"β={exponent}", damped(X, exponent)) for exponent in (0.5, 0.75, 1.0)]
    return [
        ("refit, cosine at rank 64 (as before)", _vectors(X, few, (64,), flat)),
        ("refit, with norm powers", _vectors(X, few, (64,), GAMMAS)),
        ("refit, norm powers and more exponents", _vectors(X, many, (64,), GAMMAS)),
        ("refit, norm powers, exponents and ranks", _vectors(X, many, (32, 64, 128, 256), GAMMAS)),
        ("refit, damping", _vectors(X, damping, (32, 64, 128, 256), GAMMAS)),
        ("refit, standardised columns", _vectors(X, [("", standardized(X))], (64, 256), GAMMAS)),
        ("refit, log-sigmoid propensities (IPS-LAE)", _vectors(X, [*_log_sigmoid(X, popularity)], (64, 256), GAMMAS)),
        ("refit, item exponent from the Gini coefficient (DAN)", _vectors(X, by_gini, (64, 256), GAMMAS)),
    ]


def _log_sigmoid(X: sp.csr_array, popularity: np.ndarray) -> Iterator[tuple[str, Reweighted]]:
    """Propensity σ(β (log N − log median N)) of an item, users by their activity to the power −½."""
    Y = propensity(X, 0.0, 0.5).matrix
    for beta in (0.5, 1.0):
        chance = 1 / (1 + (popularity / np.median(popularity)) ** -beta)
        for exponent in (0.5, 1.0):
            yield f"β={beta} power={exponent}", Reweighted(sp.csr_array(Y @ sp.diags_array(chance**-exponent)))


def _vectors(X: sp.csr_array, weighted: list[tuple[str, Reweighted]], ranks: tuple[int, ...], gammas: Any) -> Similar:
    most = min(max(ranks), *X.shape)
    for text, Y in weighted:
        spectrum = reweighted_spectrum(Y, most, "auto", SEED)
        for rank in sorted({min(rank, most) for rank in ranks}):
            sigma, V = spectrum.singular_values[:rank], spectrum.right_vectors[:, :rank]
            shrunk = sigma * sigma**2 / (sigma**2 + sigma[-1] ** 2)
            for power in (1.0, 1.5, 2.0):
                yield from by_norm(f"{text} rank={rank} α={power:g}", V * shrunk**power, gammas)


def of_models(models: dict[str, Any]) -> list[tuple[str, Similar]]:
    found = []
    for name, (users, items) in models.items():
        P, Q = np.asarray(users, dtype=float), np.asarray(items, dtype=float)
        found += [
            (f"{name}: plain cosine", by_norm("", Q, (0.0,))),
            (f"{name}: dot", by_norm("", Q, (1.0,))),
            (f"{name}: gauges, cosine", _gauges(P, Q, (0.0,))),
            (f"{name}: gauges, norm powers", _gauges(P, Q, GAMMAS)),
            (f"{name}: gauges, users weighed by their predictions", _gauges(P, Q, GAMMAS, (0.5, 1.0))),
        ]
        folded = {bias.column for bias in bias_columns(Q, P)}
        if folded:
            kept = [column for column in range(Q.shape[1]) if column not in folded]
            found += [
                (f"{name}: bias dropped, cosine", by_norm("", Q[:, kept], (0.0,))),
                (f"{name}: bias dropped, norm powers", by_norm("", Q[:, kept])),
                (f"{name}: bias dropped, gauges", _gauges(P[:, kept], Q[:, kept], GAMMAS)),
            ]
    return found


def _gauges(P: np.ndarray, Q: np.ndarray, gammas: tuple[float, ...], exponents: tuple[float, ...] = (0.0,)) -> Similar:
    for center in ("none", "users", "items", "both"):
        for exponent in exponents:
            users = P
            if exponent:
                norms = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", P, Q.T @ Q, P), 1e-30))
                users = P / np.maximum(norms, 1e-3 * np.median(norms))[:, None] ** exponent
            core = canonical_core(users, Q, center)  # type: ignore[arg-type]
            for power in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0):
                text = f"{center} α={power:g}" + (f" b={exponent}" if exponent else "")
                yield from by_norm(text, power_map(core, power).apply_items(Q), gammas)
