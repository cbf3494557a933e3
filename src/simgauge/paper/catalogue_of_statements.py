"""The statements of the paper, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from simgauge.paper import identities, measurements
from simgauge.paper.paper_data import Figure, PaperData


class Statement(NamedTuple):
    """One statement, where it stands, what implements and what tests it."""

    id: str
    section: str
    """Of the paper; "ours" for what we add."""
    text: str
    """In our words, a full sentence."""
    functions: tuple[str, ...]
    """``module:name`` of what implements it."""
    test: str
    """``file::test``."""
    figure: Callable[[PaperData], Figure]
    """Computes what is shown."""


FACTORIZE = "simgauge.core.closed_form.factorize:factorize"
NAMED_GAUGE = "simgauge.core.closed_form.catalogue:named_gauge"
CANONICAL = "simgauge.gauge:canonical_gauge"
NEIGHBORS = "simgauge.neighbors:compare_neighbors"
REPRODUCE = "simgauge.paper.reproduction:reproduce"
FACTORIZE_TESTS = "tests/core/closed_form/test_factorize.py"
MODEL_TESTS = "tests/test_models.py"
OWN_TESTS = "tests/paper/test_statements.py"
REPRODUCTION_TESTS = "tests/paper/test_reproduction.py"
NEIGHBOR_TESTS = "tests/test_neighbors.py"

STATEMENTS = (
    Statement(
        "eq-1",
        "2.1, Eq. 1",
        "The first objective penalises ‖A Bᵀ‖² and is least at Eq. 5.",
        (FACTORIZE,),
        f"{FACTORIZE_TESTS}::test_the_objective_is_stationary_at_the_solution",
        identities.first_objective,
    ),
    Statement(
        "eq-2",
        "2.1, Eq. 2",
        "The second objective penalises ‖X A‖² + ‖B‖², is ordinary matrix factorisation, and is least at Eq. 6.",
        (FACTORIZE,),
        f"{FACTORIZE_TESTS}::test_alternating_least_squares_reaches_the_closed_form",
        identities.second_objective,
    ),
    Statement(
        "rotations",
        "2.1",
        "A rotation of A and B changes neither objective and no cosine.",
        ("simgauge.gauge:gauge_transform",),
        f"{OWN_TESTS}::test_rotations_change_nothing_and_a_shear_does",
        identities.rotations,
    ),
    Statement(
        "eq-3",
        "2.1, Eq. 3",
        "A D with B D⁻¹ has the same predictions and the same first objective; so has any invertible G (ours).",
        ("simgauge.gauge:gauge_transform", NAMED_GAUGE),
        f"{MODEL_TESTS}::test_equation_one_keeps_predictions_and_changes_cosines_under_any_gauge",
        identities.rescaled_predictions,
    ),
    Statement(
        "eq-3-only-first",
        "2.1",
        "Only the first objective allows this: a rescaling raises the second.",
        (FACTORIZE,),
        f"{FACTORIZE_TESTS}::test_penalties_on_both_factors_leave_only_rotations",
        identities.only_the_first,
    ),
    Statement(
        "eq-4",
        "2.1, Eq. 4",
        "Normalisation depends on D and does not undo it: item-item, user-user and user-item cosines have D in them.",
        ("simgauge.gauge:gauge_transform",),
        f"{OWN_TESTS}::test_the_formulas_of_eq_4_are_cosines_and_their_control_is_not",
        identities.cosines_under_d,
    ),
    Statement(
        "item-item",
        "2.1",
        "Item-item cosines depend on the gauge.",
        (NEIGHBORS, NAMED_GAUGE),
        f"{NEIGHBOR_TESTS}::test_only_dot_products_between_the_sides_are_the_same_in_every_gauge",
        measurements.item_cosines,
    ),
    Statement(
        "user-user",
        "2.1",
        "User-user cosines depend on the gauge.",
        (NEIGHBORS, NAMED_GAUGE),
        f"{NEIGHBOR_TESTS}::test_only_dot_products_between_the_sides_are_the_same_in_every_gauge",
        measurements.user_cosines,
    ),
    Statement(
        "user-item",
        "2.1",
        "User-item cosines depend on the gauge through the norms, although dot products do not.",
        (NEIGHBORS, NAMED_GAUGE),
        f"{NEIGHBOR_TESTS}::test_only_dot_products_between_the_sides_are_the_same_in_every_gauge",
        measurements.user_item_cosines,
    ),
    Statement(
        "eq-5",
        "2.2, Eq. 5",
        "The first objective has the solution A Bᵀ = V diag(s) Vᵀ, s = σ²/(σ² + λ); A = B = V √s is one of its forms.",
        (FACTORIZE, "simgauge.core.closed_form.factorize:shrinkage"),
        f"{FACTORIZE_TESTS}::test_alternating_least_squares_reaches_the_closed_form",
        identities.equation_five,
    ),
    Statement(
        "case-a-items",
        "2.2",
        "At full rank with D = √s, every item is similar to itself only.",
        (NAMED_GAUGE,),
        f"{MODEL_TESTS}::test_case_a_every_item_is_similar_only_to_itself",
        identities.case_a_items,
    ),
    Statement(
        "case-a-ranking",
        "2.2",
        "At full rank with D = √s, a user's ranking by cosine is that by dot product.",
        (NAMED_GAUGE,),
        f"{OWN_TESTS}::test_full_rank_identities_fail_below_full_rank",
        identities.case_a_ranking,
    ),
    Statement(
        "case-a-low-rank",
        "ours",
        "Below full rank (k < p) it is not, with the same D.",
        (NAMED_GAUGE,),
        f"{OWN_TESTS}::test_full_rank_identities_fail_below_full_rank",
        measurements.low_rank_rankings,
    ),
    Statement(
        "case-b-users",
        "2.2",
        "At full rank with D = 1/√s, user-user cosines are those of the raw data: nothing is smoothed.",
        (NAMED_GAUGE,),
        f"{MODEL_TESTS}::test_case_b_user_cosines_are_those_of_the_raw_data",
        identities.case_b_users,
    ),
    Statement(
        "case-b-ranking",
        "2.2",
        "At full rank with D = 1/√s, rankings by cosine differ from those by dot product.",
        (NAMED_GAUGE,),
        f"{OWN_TESTS}::test_full_rank_identities_fail_below_full_rank",
        identities.case_b_ranking,
    ),
    Statement(
        "case-b-items",
        "2.2",
        "At full rank with D = 1/√s, item-item cosines are Ω V diag(s)² Vᵀ Ω.",
        (NAMED_GAUGE,),
        f"{OWN_TESTS}::test_full_rank_identities_fail_below_full_rank",
        identities.case_b_items,
    ),
    Statement(
        "eq-6",
        "2.3, Eq. 6",
        "Under the second objective users and items have the same diagonal, (σ − λ)₊, unique up to a rotation.",
        (FACTORIZE, "simgauge.core.gauges.balance:gauge_balance"),
        "tests/core/gauges/test_balance.py::test_penalised_factors_are_balanced_in_any_rotation_and_scale",
        identities.equation_six,
    ),
    Statement(
        "suggested-d",
        "2.3",
        "Its form suggests D = 1/√σ for the first objective: then users and items have the same Gram matrix.",
        (NAMED_GAUGE, CANONICAL),
        "tests/core/gauges/test_canonical.py::test_catalogue_names_are_canonical_gauges_of_the_linear_model",
        identities.suggested_gauge,
    ),
    Statement(
        "weight-decay",
        "ours",
        "Literal weight decay, ‖A‖² + ‖B‖², is a third model: A = B = V √(1 − λ/σ²)₊.",
        (FACTORIZE,),
        f"{FACTORIZE_TESTS}::test_the_objective_is_stationary_at_the_solution",
        identities.weight_decay,
    ),
    Statement(
        "dropout",
        "ours",
        "Input dropout, which the paper equates with Eq. 1, is Eq. 1 only where all columns have the same norm.",
        ("simgauge.core.closed_form.dropout:dropout_spectrum",),
        "tests/core/closed_form/test_dropout.py::test_equal_column_norms_give_equation_one",
        identities.dropout_is_not_quite_eq_one,
    ),
    Statement(
        "remedy-1",
        "3",
        "Training on cosine itself removes the gauge: exactly if the unit vectors' b bᵀ span the "
        "symmetric matrices (ours).",
        ("simgauge.core.gauges.sphere_spanning:sphere_spanning",),
        "tests/core/gauges/test_sphere_spanning.py::test_a_spanning_table_leaves_no_other_gauge_and_a_short_one_does",
        measurements.unit_sphere,
    ),
    Statement(
        "remedy-2-users",
        "3",
        "Users projected back to the data space, rows of X A Bᵀ, have cosines that no gauge "
        "changes: α = 0 of the users.",
        (CANONICAL, NEIGHBORS),
        f"{NEIGHBOR_TESTS}::test_projected_back_users_are_rows_of_the_predictions_and_items_are_columns",
        identities.project_users,
    ),
    Statement(
        "remedy-2-items",
        "ours",
        "Items can be projected too: columns of X A Bᵀ, which is α = 1 of the items.",
        (CANONICAL, NEIGHBORS),
        f"{NEIGHBOR_TESTS}::test_projected_back_users_are_rows_of_the_predictions_and_items_are_columns",
        identities.project_items,
    ),
    Statement(
        "remedy-2-sides",
        "ours",
        "One α does not project both sides: where items are projected (α = 1), users are whitened.",
        (CANONICAL,),
        f"{NEIGHBOR_TESTS}::test_projected_back_users_are_rows_of_the_predictions_and_items_are_columns",
        identities.one_alpha_two_sides,
    ),
    Statement(
        "remedy-3",
        "3",
        "Popularity can be reduced before learning: standardised columns, inverse propensity, "
        "negative sampling (here with λ in proportion to ‖X‖²).",
        (
            "simgauge.core.matrices.reweighting:standardized",
            "simgauge.core.matrices.reweighting:propensity",
            "simgauge.core.matrices.reweighting:damped",
        ),
        f"{REPRODUCTION_TESTS}::test_remedies_before_learning_are_models_of_the_changed_matrix",
        measurements.before_learning,
    ),
    Statement(
        "section-4",
        "4",
        "On simulated clusters, cosine sees the clusters differently in gauges with the same predictions.",
        (REPRODUCE, "simgauge.paper.cluster_agreement:cluster_agreement"),
        f"{REPRODUCTION_TESTS}::test_gauges_of_eq_1_share_their_predictions_and_not_their_cosines",
        measurements.clusters_in_every_gauge,
    ),
    Statement(
        "section-4-eq-2",
        "4",
        "Under the second objective cosines are unique, so there is one picture.",
        (REPRODUCE,),
        f"{REPRODUCTION_TESTS}::test_eq_2_is_another_model",
        measurements.clusters_under_eq_two,
    ),
    Statement(
        "strength",
        "ours",
        "λ moves the cosines too, under both objectives.",
        ("simgauge.paper.measurements:l2_sweep",),
        f"{OWN_TESTS}::test_the_sweep_is_that_of_single_fits",
        measurements.strengths,
    ),
)

NOT_SHOWN = (
    "Which D each middle panel of Figure 1 has stands in its image only: `simgauge reproduce` draws all natural "
    "candidates and "
    "claims no match.",
    "That normalising only afterwards hurts is said in section 3 without a measurement; `simgauge fix` measures it on "
    "data with "
    "evidence.",
    "That deep models are as bad or worse (section 5) is an expectation of the paper about training; there is no "
    "equation to "
    "check. That hidden layers of MLPs and CNNs have the same freedom: Cain (2026), arXiv 2603.06774.",
    "The biases of footnote 1: `center=` and the audit's folded biases treat them, the simulation has none.",
)
"""What the paper says and this page does not show, and why."""
