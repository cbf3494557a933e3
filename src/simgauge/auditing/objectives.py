"""What a training objective leaves undetermined: the gauge group of every objective simgauge knows."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from simgauge.errors import ParameterError

Identifiability = Literal["identified", "controlled by the regulariser", "arbitrary"]


class Objective(NamedTuple):
    """What is known about embeddings trained in a certain way."""

    gauge_group: str
    """Changes of the latent space that the training loss cannot see."""
    verdict: Identifiability
    """For the cosine of either side."""
    reason: str
    """In plain words."""
    source: str
    """Equation or section."""
    balanced: bool | None = None
    """True if at the optimum PᵀP and QᵀQ must be equal up to a factor, so that the tables can be tested."""


_FREE = "the loss only sees dot products, so any invertible change of the latent space leaves it as it is"
_STEERED = (
    "the penalty on both factors selects one gauge (up to rotation): the cosine is repeatable, but it is the "
    "regulariser's choice, not the data's"
)

OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "product": Objective(
            "GL(k)", "arbitrary", f"the penalty is on the product ABᵀ: {_FREE}", "Eq. 1, Eq. 3", False
        ),
        "dropout": Objective(
            "GL(k)",
            "arbitrary",
            f"input dropout penalises the product ABᵀ only: {_FREE}",
            "Eq. 1, read as input dropout",
            False,
        ),
        "none": Objective("GL(k)", "arbitrary", f"there is no penalty: {_FREE}", "Eq. 3", False),
        "factors": Objective("O(k)", "controlled by the regulariser", _STEERED, "Eq. 2, Eq. 6", True),
        "weights": Objective(
            "O(k)", "controlled by the regulariser", _STEERED, "as Eq. 2, with weight decay on A and B", None
        ),
        "als": Objective(
            "O(k)",
            "controlled by the regulariser",
            f"{_STEERED}; count-weighted penalties and different strengths per side select other gauges",
            "Eq. 2, Eq. 6",
            True,
        ),
        "bpr": Objective(
            "O(k)",
            "controlled by the regulariser",
            f"{_STEERED}; with a weak penalty, initial scale and early stopping select it",
            "Eq. 2 for the penalty; Du, Hu, Lee (2018), arXiv 1806.00900",
            None,
        ),
        "lmf": Objective(
            "O(k)",
            "controlled by the regulariser",
            f"{_STEERED}; with a weak penalty, initial scale and early stopping select it",
            "Eq. 2 for the penalty; Du, Hu, Lee (2018), arXiv 1806.00900",
            None,
        ),
        "warp": Objective(
            "GL(k)",
            "arbitrary",
            f"the ranking loss has no penalty by default: {_FREE}",
            "Eq. 3; Du, Hu, Lee (2018), arXiv 1806.00900",
            None,
        ),
        "svd": Objective(
            "GL(k)",
            "arbitrary",
            "a truncated SVD fixes U, Σ, V, but whether items are V, V√Σ or VΣ is the library's convention",
            "section 2.2",
            None,
        ),
        "softmax": Objective(
            "GL(k)", "arbitrary", f"softmax over dot products: {_FREE}", "Eq. 3; Roeder et al. 2021", None
        ),
        "contrastive": Objective(
            "GL(k)", "arbitrary", f"InfoNCE over dot products: {_FREE}", "Eq. 3; Roeder et al. 2021", None
        ),
        "word2vec": Objective(
            "GL(k)",
            "arbitrary",
            f"negative sampling over dot products, no penalty: {_FREE}",
            "Eq. 3; Du, Hu, Lee (2018), arXiv 1806.00900",
            None,
        ),
        "glove": Objective(
            "GL(k)",
            "arbitrary",
            f"least squares on dot products, no penalty: {_FREE}",
            "Eq. 3; Du, Hu, Lee (2018), arXiv 1806.00900",
            None,
        ),
        "unit-sphere": Objective(
            "O(k)",
            "identified",
            "the vectors were kept at norm one during training, so a change of gauge must keep every norm; only "
            "rotations do, if the vectors span enough directions",
            "rank of the b bᵀ, see core/gauges/sphere_spanning.py",
            None,
        ),
        "normalised-afterwards": Objective(
            "GL(k)",
            "arbitrary",
            "normalising after training changes what is stored, not what was determined: the dot products of "
            "training could have come in any gauge",
            "section 3",
            None,
        ),
        "unknown": Objective(
            "GL(k) assumed",
            "arbitrary",
            "nothing is known of the training, so no gauge can be ruled out; pass objective= if you know it",
            "Eq. 3",
            None,
        ),
    }
)
"""Objective name -> what it leaves open. "unknown" assumes the worst."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "infonce": "contrastive",
        "two-tower": "softmax",
        "sampled-softmax": "softmax",
        "ials": "als",
        "wrmf": "als",
        "mf": "factors",
        "weight-decay": "weights",
        "normalized-afterwards": "normalised-afterwards",
        "cosine": "unit-sphere",
        "sgns": "word2vec",
        "skip-gram": "word2vec",
        "puresvd": "svd",
        "truncated-svd": "svd",
    }
)
"""Other names that mean the same."""


def find_objective(name: str) -> tuple[str, Objective]:
    """The canonical name of an objective and what it leaves open.

    Raises
    ------
    ParameterError
        Unknown; the known names are listed.

    Examples
    --------
    >>> find_objective("InfoNCE")[1].gauge_group
    'GL(k)'
    """
    key = str(name).strip().casefold().replace("_", "-").replace(" ", "-")
    key = ALIASES.get(key, key)
    if key not in OBJECTIVES:
        near = difflib.get_close_matches(key, [*OBJECTIVES, *ALIASES], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"objective={name!r}: expected one of {', '.join(map(repr, OBJECTIVES))}.{hint}")
    return key, OBJECTIVES[key]
