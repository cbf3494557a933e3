"""What is done to interactions before a model sees them: standardising, inverse propensity, damping, column scaling.

Each takes a CSR matrix X (n_users, n_items) with weights >= 0 and returns a `Reweighted`; X itself is never changed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Vector
from simgauge.errors import ParameterError


class Reweighted(NamedTuple):
    """The matrix ``matrix − 1 column_meanᵀ``, never formed."""

    matrix: sp.csr_array
    """(n_users, n_items), sparse, float64."""
    column_mean: Vector | None = None
    """(n_items,): subtracted from every row, or None for nothing."""

    def project(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """The matrix times vectors (n_items, k), without densifying it: user vectors."""
        product = np.asarray(self.matrix @ vectors)
        return product if self.column_mean is None else product - self.column_mean @ vectors


def unchanged(X: sp.csr_array) -> Reweighted:
    """X as it is, in float64."""
    return Reweighted(sp.csr_array(X, dtype=np.float64))


def standardized(X: sp.csr_array) -> Reweighted:
    """Columns with mean 0 and variance 1 over all users: ``(X − 1 μᵀ) diag(1/s)``, as a sparse matrix and a mean.

    Columns without variance (used by nobody, or by everybody alike) become zero.

    References
    ----------
    arXiv 2403.05440, section 3, third remedy.

    Examples
    --------
    >>> scaled, mean = standardized(sp.csr_array(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [1.0, 0.0]])))
    >>> dense = scaled.toarray() - mean
    >>> dense.mean(axis=0).round(12), dense.std(axis=0)
    (array([0., 0.]), array([1., 1.]))
    """
    matrix = sp.csr_array(X, dtype=np.float64)
    n_users = matrix.shape[0]
    mean = np.asarray(matrix.sum(axis=0)).ravel() / n_users
    square = np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel() / n_users
    variance = square - mean**2
    varies = variance > 8 * np.finfo(np.float64).eps * n_users * square
    inverse = np.where(varies, 1 / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
    return Reweighted(_scale_columns(matrix, inverse), mean * inverse)


def propensity(X: sp.csr_array, item_exponent: float = 0.5, user_exponent: float = 0.0) -> Reweighted:
    """Inverse propensity: ``X_ui · pop_i^(−a) · act_u^(−b)``.

    pop_i is the number of users of an item, act_u the number of items of a user; a and b are 0 for "leave alone" and
    1 for full inverse weighting.

    References
    ----------
    arXiv 2403.05440, section 3 (inverse propensity scaling). The power law of propensities in popularity:
    Yang et al. (2018), Unbiased offline recommender evaluation for missing-not-at-random implicit feedback, section 3.

    Examples
    --------
    >>> X = sp.csr_array(np.array([[1.0, 1.0], [1.0, 0.0]]))
    >>> propensity(X, item_exponent=1.0, user_exponent=1.0).matrix.toarray()
    array([[0.25, 0.5 ],
           [0.5 , 0.  ]])
    """
    a, b = check_exponent(item_exponent, "item_exponent"), check_exponent(user_exponent, "user_exponent")
    matrix = sp.csr_array(X, dtype=np.float64)
    popularity = np.bincount(matrix.indices, minlength=matrix.shape[1])
    activity = np.diff(matrix.indptr)
    scaled = _scale_columns(matrix, _inverse_power(popularity, a))
    return Reweighted(sp.csr_array(sp.diags_array(_inverse_power(activity, b)) @ scaled))


def damped(X: sp.csr_array, exponent: float = 0.75, negatives: float = 1.0) -> Reweighted:
    """Damping as negative sampling does it: positive shifted pointwise mutual information with smoothed item counts.

    ``max(0, log(X_ui / (r_u p_β(i))) − log m)`` where r_u is the row sum, ``p_β(i) = c_i^β / Σ_j c_j^β`` the
    distribution from which negatives are drawn, c_i the column sum and m the number of negatives.

    Parameters
    ----------
    exponent : float
        β. ¾ is word2vec's; 0 draws all items alike, 1 by popularity (plain PMI); below 0 even prefers rare ones.
    negatives : float, > 0
        m, negatives per positive.

    References
    ----------
    Levy & Goldberg (2014), Neural word embedding as implicit matrix factorization, Eq. 7 and section 3.3 (shifted
    positive PMI); Levy, Goldberg & Dagan (2015), TACL 3, section 3.1 (context distribution smoothing, β = ¾).
    That β should be tuned for recommenders: Caselles-Dupré et al. (2018), arXiv 1804.04212.

    Examples
    --------
    >>> X = sp.csr_array(np.array([[1.0, 1.0], [1.0, 0.0]]))
    >>> damped(X, exponent=1.0).matrix.toarray().round(3)
    array([[0.   , 0.405],
           [0.405, 0.   ]])
    """
    beta = check_exponent(exponent, "exponent")
    if not (np.isfinite(negatives) and negatives > 0):
        raise ParameterError(f"negatives={negatives}: expected a finite number > 0; 1 means no shift.")
    matrix = sp.csr_array(X, dtype=np.float64, copy=True)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    row_sums = np.asarray(matrix.sum(axis=1)).ravel()
    drawn = _inverse_power(np.asarray(matrix.sum(axis=0)).ravel(), -beta)
    drawn = drawn / drawn.sum() if drawn.any() else drawn
    with np.errstate(divide="ignore"):  # stored zeros have the logarithm −inf, which is cut off at 0 below
        information = np.log(matrix.data / (row_sums[rows] * drawn[matrix.indices])) - np.log(negatives)
    matrix.data = np.maximum(information, 0.0)
    matrix.eliminate_zeros()
    return Reweighted(matrix)


def column_scaled(X: sp.csr_array, scaling: float = 0.5) -> Reweighted:
    """Columns scaled to norm^d: ``X diag(‖x_i‖^(d−1))``. d = 1 is X itself, d = 0 makes the Gram matrix the cosines.

    References
    ----------
    Nikolakopoulos et al. (2019), EigenRec, doi 10.1007/s10115-018-1197-7, section 3.

    Examples
    --------
    >>> column_scaled(sp.csr_array(np.array([[3.0, 0.0], [4.0, 2.0]])), scaling=0.0).matrix.toarray()
    array([[0.6, 0. ],
           [0.8, 1. ]])
    """
    d = check_exponent(scaling, "scaling")
    matrix = sp.csr_array(X, dtype=np.float64)
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
    return Reweighted(_scale_columns(matrix, _inverse_power(norms, 1 - d)))


def check_exponent(value: float, name: str) -> float:
    """`value` as a float when it is a number from −2 to 2."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not -2 <= number <= 2:
        raise ParameterError(
            f"{name}={value!r}: expected a number from -2 to 2; 0 leaves this side alone or unsmoothed."
        )
    return number


def _inverse_power(values: NDArray[np.floating] | NDArray[np.integer], exponent: float) -> Vector:
    positive = values > 0
    return np.where(positive, np.where(positive, values, 1).astype(np.float64) ** -exponent, 0.0)


def _scale_columns(matrix: sp.csr_array, scale: Vector) -> sp.csr_array:
    data = matrix.data * scale[matrix.indices]
    scaled = sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)
    if data.all():
        return scaled  # shares the positions of X, which may be read-only
    scaled = scaled.copy()
    scaled.eliminate_zeros()
    return scaled
