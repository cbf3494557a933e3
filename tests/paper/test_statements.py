"""The paper, executable: every statement names what exists, its figure holds, and fails where the statement is
broken."""

from __future__ import annotations

import ast
import importlib
import json
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from geometry_problems import general_map
from problems import cosines, counts
from simgauge.core.closed_form.catalogue import named_gauge
from simgauge.core.closed_form.factorize import Factors, factorize
from simgauge.core.spectral.spectrum import spectrum
from simgauge.core.tables.tables import unit_rows
from simgauge.datasets.clusters import simulate_clusters
from simgauge.errors import ParameterError
from simgauge.paper import identities, measurements
from simgauge.paper.cluster_agreement import cluster_agreement
from simgauge.paper.paper_data import PaperData
from simgauge.paper.statements import SMALL, STATEMENTS, show_statements

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shown():
    return show_statements()


def small(seed=0, **changes):
    made = simulate_clusters(300, 30, 3, rng=seed)
    given = {"n_components": 6, "l2_product": 30.0, "l2_factors": 6.0, **changes}
    return PaperData(made.matrix.astype(np.float64), made.clusters, **given)


def test_every_statement_names_functions_and_a_test_that_exist():
    assert len({one.id for one in STATEMENTS}) == len(STATEMENTS)
    for one in STATEMENTS:
        assert one.text.endswith("."), f"{one.id}"
        assert one.functions, f"{one.id}"
        for name in one.functions:
            module, _, attribute = name.partition(":")
            assert callable(getattr(importlib.import_module(module), attribute)), f"{name}"
        file, _, test = one.test.partition("::")
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert test in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{one.test}"


def test_every_equation_of_the_paper_is_there():
    places = " ".join(one.section for one in STATEMENTS)
    assert all(f"Eq. {number}" in places for number in range(1, 7))


def test_the_page_of_the_documentation_is_what_the_command_writes(shown):
    page = (ROOT / "docs" / "paper.md").read_text(encoding="utf-8")
    assert page == shown.to_markdown(), "run scripts/build_paper_page.py"


def test_every_statement_holds_or_is_a_measurement(shown):
    found = {row["id"]: row for row in shown.to_dict()["statements"]}
    assert [name for name, row in found.items() if row["holds"] is False] == []
    measured = {"remedy-1", "remedy-3", "section-4-eq-2", "strength"}
    assert {name for name, row in found.items() if row["holds"] is None} == measured
    assert not any("not shown" in row["figure"] for row in found.values())


class WrongShrinkage(PaperData):
    """The mistake of a public toy implementation: σ / (1 + λ/σ²) in place of 1 / (1 + λ/σ²)."""

    @cached_property
    def product_model(self):
        scale = np.sqrt(self.sigma / (1 + self.l2_product / self.sigma**2))
        V = self.spectrum.right_vectors
        return Factors(V * scale, V * scale)

    @cached_property
    def factors_model(self):
        """Eq. 6 without the root of σ: another gauge of the same predictions."""
        A, B = factorize(self.spectrum, "factors", self.l2_factors)
        d = np.sqrt(self.sigma)
        return Factors(A * d, B / d)


def test_figures_of_wrong_models_do_not_hold():
    """Control: the figures see a wrong closed form, and a right prediction in a wrong gauge."""
    right = small()
    wrong = WrongShrinkage(right.matrix, right.clusters, right.n_components, right.l2_product, right.l2_factors)
    for figure in (
        identities.first_objective,
        identities.second_objective,
        identities.equation_five,
        identities.equation_six,
    ):
        assert figure(right).holds, f"{figure.__name__}"
        assert not figure(wrong).holds, f"{figure.__name__}"
    assert not identities.only_the_first(wrong).holds  # a rescaling towards Eq. 6 lowers the second objective


def test_losses_and_gradients_are_those_of_dense_matrices(rng):
    data = small()
    A, B = (rng.standard_normal((30, 6)) for _ in range(2))
    X = data.matrix.toarray()
    fit = np.linalg.norm(X - X @ A @ B.T) ** 2
    dense = {
        "product": fit + 30 * np.linalg.norm(A @ B.T) ** 2,
        "factors": fit + 6 * (np.linalg.norm(X @ A) ** 2 + np.linalg.norm(B) ** 2),
        "weights": fit + 30 * (np.linalg.norm(A) ** 2 + np.linalg.norm(B) ** 2),
    }
    for penalty, expected in dense.items():
        assert data.loss(Factors(A, B), penalty) == pytest.approx(expected, rel=1e-10)
        direction = rng.standard_normal((2, 30, 6))
        size = 2 * np.linalg.norm(data.gram) * (np.linalg.norm(A) + np.linalg.norm(B))
        h = 1e-5
        ahead, behind = (data.loss(Factors(A + t * direction[0], B + t * direction[1]), penalty) for t in (h, -h))
        slope = abs(ahead - behind) / (2 * h) / np.linalg.norm(direction)
        assert slope <= data.gradient(Factors(A, B), penalty) * size * (1 + 1e-4)
        assert slope > 0


def test_rotations_change_nothing_and_a_shear_does(rng):
    data = small()
    assert identities.rotations(data).holds
    A, B = data.factors_model
    G = general_map(rng, 6, 3.0)  # control
    assert data.loss(Factors(A @ G, B @ np.linalg.inv(G).T), "factors") > 1.001 * data.loss(
        data.factors_model, "factors"
    )
    assert np.abs(cosines(B @ np.linalg.inv(G).T) - cosines(B)).max() > 0.01


def test_the_formulas_of_eq_4_are_cosines_and_their_control_is_not():
    data = small()
    assert identities.cosines_under_d(data).holds
    B = data.product_model.decoder
    d = data.rng(7).lognormal(size=6)
    plain = 1 / np.linalg.norm(B, axis=1)  # control: normalised before D, not after it
    wrong = plain[:, None] * (B / d**2 @ B.T) * plain
    assert np.abs(wrong - cosines(B / d)).max() > 0.1


def test_full_rank_identities_fail_below_full_rank():
    """At k = p they hold; with one direction less they do not, so rank is what they need."""
    data = small()
    full = (
        identities.case_a_items,
        identities.case_a_ranking,
        identities.case_b_users,
        identities.case_b_ranking,
        identities.case_b_items,
    )
    assert all(figure(data).holds for figure in full)
    S = spectrum(data.matrix, 29)
    A, B = named_gauge(S, 30.0, "whitened")
    assert np.abs(cosines(B) - np.eye(30)).max() > 0.05
    assert identities._same_rankings(data.users @ A, B) < 1
    A, B = named_gauge(S, 30.0, "encoder-whitened")
    assert np.abs(cosines(data.users @ A) - cosines(data.users)).max() > 1e-3
    assert measurements.low_rank_rankings(data).value < 1


def test_data_without_full_rank_is_said_and_not_shown(rng):
    X = counts(rng, 8, 14)  # fewer users than items
    data = PaperData(sp.csr_array(X), np.arange(14) % 3, 4, 2.0, 0.5)
    assert data.full is None
    found = identities.case_a_items(data)
    assert (found.holds, found.value) == (None, None)
    assert "fewer directions than items" in found.text
    twice = np.concatenate([X.T, X.T[:1]]).T  # a copied column
    assert PaperData(sp.csr_array(np.tile(twice, (3, 1))), np.arange(15) % 3, 4, 2.0, 0.5).full is None


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"n_users": 20, "n_items": 40}, "fewer directions than items"),
        ({"n_items": 30, "n_components": 30}, "full rank, k = p"),
        ({"l2_factors": 1e9}, "shrinks every direction to zero"),
        ({"l2_product": 0.0, "l2_factors": 0.0}, "too small to shrink anything"),
        ({"max_items_per_user": 2}, ""),
        ({"n_clusters": 2, "n_components": 2}, ""),
    ],
)
@pytest.mark.filterwarnings("error")
def test_statements_hold_or_are_not_shown_whatever_the_data(changes, missing):
    given = {**SMALL, "n_users": 200, "n_items": 30, "n_components": 5, **changes}
    shown = show_statements(given)
    rows = shown.to_dict()["statements"]
    of_the_data = {"section-4"}  # whether gauges see clusters differently depends on the clusters
    assert {row["id"] for row in rows if row["holds"] is False} <= of_the_data
    not_shown = [row["figure"] for row in rows if row["figure"].startswith("not shown")]
    assert any(missing in text for text in not_shown) if missing else True


def test_one_component_is_refused():
    with pytest.raises(ParameterError, match="every cosine is 1 or −1"):
        show_statements({**SMALL, "n_components": 1})


def test_a_strength_that_leaves_nothing_is_said():
    data = small(l2_factors=1e6)
    for figure in (identities.only_the_first, measurements.clusters_under_eq_two):
        assert "shrinks every direction to zero" in figure(data).text
    assert "none (all vectors zero)" in measurements.strengths(data).text


def test_the_sweep_is_that_of_single_fits():
    data = small()
    found = measurements.l2_sweep(data)
    for name, penalty, l2 in (("Eq. 1, V √s", "product", 30.0), ("Eq. 2", "factors", 6.0)):
        for factor, (strength, auc) in zip(measurements.L2_FACTORS, found[name], strict=True):
            assert strength == pytest.approx(factor * l2)
            items = factorize(data.spectrum, penalty, strength).decoder
            expected = cluster_agreement(cosines(items), data.clusters)["auc"] if items.any() else None
            assert auc == (pytest.approx(expected) if expected is not None else None)
    assert len({auc for _, auc in found["Eq. 1, V √s"]}) > 1  # λ matters


def test_every_gauge_shows_its_three_cosines():
    """Against lists by plain sorting; the gauge that projects a side agrees with the predictions on it, others do
    not."""
    data = small()
    rows = {row["gauge"]: row for row in measurements.gauge_rows(data)}
    A, B = data.product_model
    predicted = data.users @ A @ B.T
    assert rows["whitened"]["users_as_projected"] == 1.0
    assert (
        rows["projected"]["users_as_projected"] < 0.9
    )  # control: there the items are projected, and the users whitened
    columns = cosines((data.matrix @ A @ B.T).T)
    assert rows["projected"]["item_auc"] == pytest.approx(cluster_agreement(columns, data.clusters)["auc"])
    for name, model in data.gauges.items():
        by_cosine = np.argsort(-(unit_rows(data.users @ model.encoder) @ unit_rows(model.decoder).T), axis=1)[:, :10]
        by_dot = np.argsort(-predicted, axis=1)[:, :10]
        shared = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(by_cosine, by_dot, strict=True)])
        assert rows[name]["items_as_scored"] == pytest.approx(shared, abs=0.01)  # ties may fall either way
        assert shared < 1


def test_tables(shown):
    record = json.loads(json.dumps(shown.to_dict(), allow_nan=False))
    assert record["schema_version"] == 1
    assert len(record["statements"]) == len(STATEMENTS) == shown.to_arrow().num_rows == len(shown.table_rows())
    assert repr(shown) == f"StatementTable({len(STATEMENTS)} statements, 24 hold)"
    assert shown.to_markdown().count("\n| ") == len(STATEMENTS) + 1 + len(shown.gauges) + 1


def test_statements_are_shown_on_the_data_of_a_reproduction():
    """Every parameter of the simulation counts, and the same parameters give the same figures."""
    given = {**SMALL, "n_users": 200, "n_items": 30, "n_components": 5, "item_exponents": [0.3, 0.9]}
    one, two = show_statements(given).to_dict(), show_statements(given).to_dict()
    assert one == two
    other = show_statements({**given, "power_law": "density"}).to_dict()
    assert other["statements"] != one["statements"]
