"""Refitted tables predict what the model predicts, in the gauge that was asked for."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from problems import cosines, sparse_counts
from simgauge import Embedding, canonical_gauge
from simgauge.core.closed_form.dropout import dropout_spectrum, factorize_dropout
from simgauge.core.closed_form.factorize import factorize
from simgauge.core.closed_form.refitted_tables import dropout_tables, linear_tables
from simgauge.core.matrices.reweighting import propensity, standardized
from simgauge.core.spectral.centered_spectrum import reweighted_spectrum
from simgauge.errors import InputError

POWERS = [None, 0.0, 0.5, 1.0, 1.5]


@pytest.mark.parametrize("weight", [standardized, propensity])
@pytest.mark.parametrize(("penalty", "l2"), [("product", 3.0), ("factors", 0.5), ("weights", 2.0)])
@pytest.mark.parametrize("power", POWERS)
def test_tables_are_the_models_in_its_canonical_gauge(rng, weight, penalty, l2, power):
    X = weight(sp.csr_array(sparse_counts(rng)))
    dense = X.matrix.toarray() - (0 if X.column_mean is None else X.column_mean)
    S = reweighted_spectrum(X, 6)
    A, B = factorize(S, penalty, l2)
    users, items = linear_tables(X, S, penalty, l2, power)
    np.testing.assert_allclose(users @ items.T, dense @ A @ B.T, atol=1e-9)
    if power is not None:
        Z = canonical_gauge(Embedding(B[:, B.any(axis=0)], (dense @ A)[:, B.any(axis=0)]), power).items
        np.testing.assert_allclose(cosines(items), cosines(Z), atol=1e-7)


@pytest.mark.parametrize("power", POWERS)
def test_dropout_tables(rng, power):
    X = propensity(sp.csr_array(sparse_counts(rng)))
    S, encoded = dropout_spectrum(X.matrix, 6, 0.4)
    A, B = factorize_dropout(S, encoded)
    users, items = dropout_tables(X, S, encoded, power)
    np.testing.assert_allclose(users @ items.T, X.matrix @ A @ B.T, atol=1e-9)
    if power is None:
        np.testing.assert_allclose(items, B, atol=1e-12)


def test_a_penalty_that_leaves_nothing_is_named(rng):
    X = propensity(sp.csr_array(sparse_counts(rng)))
    with pytest.raises(InputError, match="shrinks every component to zero"):
        linear_tables(X, reweighted_spectrum(X, 3), "factors", 1e9, 1.0)
