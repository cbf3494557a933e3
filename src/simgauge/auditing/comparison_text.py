"""What a comparison of two models says, in sentences that hold in every case in which they are shown."""

from __future__ import annotations

import numpy as np

from simgauge.auditing.predictions import KINDS, PredictionAgreement
from simgauge.core.geometry.relations import Relation

GAUGE_CLOSINGS = {
    "same": "this is one model in two gauges",
    "scale": "this is one model in two gauges, with scores in another unit",
    "constants": "this is one model in two gauges of a loss that sees only differences of scores within a user",
    "scale and constants": "the rankings are those of one model",
}

KEEP_COSINES = {"rotation", "scale", "row lengths"}
"""Parts of a relation under which every cosine of two rows stays what it is."""


def relation_name(relation: Relation, users: PredictionAgreement | None) -> str:
    """What the two models are to each other, in one phrase: that of their items, unless predictions tell otherwise.

    A linear map of the items is a gauge only if the users move the opposite way, so where predictions differ the models
    are different; and predictions tell what too few items leave open.
    """
    if users is not None and "undetermined" in relation.parts:
        return "linear gauge" if users.same_model else "different"
    if users is not None and {"linear gauge", "linear map"} & set(relation.parts) and not users.same_model:
        return "different"
    return relation.name


def keeps_cosines(relation: Relation) -> bool:
    """Whether every cosine of two items is the same in both tables, rounding aside."""
    return relation.map is not None and set(relation.parts) <= KEEP_COSINES | {"quantisation"}


def relation_sentences(relation: Relation, means: tuple[float, float], users: PredictionAgreement | None) -> str:
    """What turns one table of items into the other, and what cosine sees of it."""
    if relation.parts == ("permutation",):
        return (
            "Both tables hold the same rows in another order, so they were matched wrongly or the ids of one lie "
            "on other rows."
        )
    if relation.parts == ("undetermined",):
        few = (
            "With so few shared items a linear map turns any table into any other, so the items alone do not tell "
            "whether "
        )
        return (
            f"{few}this is one model in two gauges{': pass the users of both, or more items' if users is None else ''}."
        )
    if relation.map is None:
        return _different(relation, users)
    if relation.exact:
        return "The two tables of items are equal, entry by entry."
    return f"{_map_sentence(relation)} {_cosine_sentence(relation, means)}"


def _different(relation: Relation, users: PredictionAgreement | None) -> str:
    left = f"{relation.left_over:.1%} of the variation, unrelated tables of these sizes {relation.chance:.1%}"
    text = f"No map that was tried turns one table into the other: the best linear map with a shift leaves {left}."
    if users is not None and users.same_model:
        text += f" The users that were compared span {users.users_span} directions and do not see the difference."
    return text


def _map_sentence(relation: Relation) -> str:
    found = relation.map
    assert found is not None
    if "truncation" in relation.parts:
        side, other = ("first", "second") if found.flipped else ("second", "first")
        wide, narrow = found.ranks
        turned = " after a linear map" if "linear map" in relation.parts else ""
        moved = " and shifted by one vector" if "shift" in relation.parts else ""
        text = f"The {side} table holds {narrow} of the {wide} directions of the {other}{turned}{moved}"
    else:
        words = [_phrase(part, relation) for part in relation.parts if part != "quantisation"]
        listed = " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
        text = f"The second table is the first {listed}" if words else "The tables are equal up to rounding"
    if "quantisation" in relation.parts:
        one, two = relation.precisions
        text += f", to the precision in which they are stored ({one} and {two})"
    return f"{text}."


def _phrase(part: str, relation: Relation) -> str:
    found = relation.map
    assert found is not None
    same_width = found.matrix.shape[0] == found.matrix.shape[1]
    own_factors = same_width and not (found.matrix - np.diag(np.diag(found.matrix))).any()
    return {
        "scale": f"times {found.factor:.6g}",
        "rotation": "rotated or reflected" + ("" if same_width else " into another number of columns"),
        "row lengths": "with rows of other lengths",
        "shift": "shifted by one vector",
        "linear gauge": (
            f"with each column times a number of its own (largest over smallest: {found.condition:.3g})"
            if own_factors
            else f"under an invertible linear map (condition number {found.condition:.3g})"
        ),
    }[part]


def _cosine_sentence(relation: Relation, means: tuple[float, float]) -> str:
    rounding = " up to that rounding" if "quantisation" in relation.parts else ""
    if keeps_cosines(relation):
        lengths = "; dot products are not" if "row lengths" in relation.parts else ""
        return f"All cosines are the same{rounding}{lengths}."
    return (
        f"Cosines differ: their mean over all pairs of items is {means[0]:.2f} in the first and {means[1]:.2f} in "
        f"the second."
    )


def prediction_sentence(relation: Relation, users: PredictionAgreement | None) -> str:
    """What shared users see of the difference."""
    if users is None:
        if "linear gauge" not in relation.parts:
            return ""
        return (
            "It is one model in two gauges if the users move the opposite way, which items alone cannot tell: pass "
            "the users "
            "of both."
        )
    seen = f"{users.n_users:,} shared users and {users.n_items:,} items"
    rounded = " up to the precision in which the tables are stored" if users.rounded else ""
    if users.same_model:
        gauge = {"linear gauge", "undetermined"} & set(relation.parts)
        return f"Over {seen} {KINDS[users.kind]}{rounded}{f': {GAUGE_CLOSINGS[users.kind]}' if gauge else ''}."
    size = f"by up to {users.difference:.2g} of the largest score of the first model"
    alike = {"linear gauge", "linear map", "truncation", "undetermined"} & set(relation.parts)
    closing = ", so this is not one model in two gauges" if alike else ""
    return f"Over {seen} {KINDS['different']}, {size}{closing}."
