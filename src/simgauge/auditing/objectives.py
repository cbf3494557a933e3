"""What a training objective leaves undetermined: the gauge group of every objective simgauge knows, shifts included."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from simgauge.core.gauges.canonical import Center, center_of, centered_sides

Identifiability = Literal["identified", "chosen", "controlled by the regulariser", "arbitrary", "unknown"]
"""What training did for the cosine; "chosen": the vectors are in a canonical gauge on purpose."""
Sees = Literal["scores", "differences", "rows and columns", "dot products", "cosines", "one encoder", "unknown"]
Biases = Literal["none", "items", "users", "both", "unknown"]
Penalty = Literal["factors", "none"]


class Objective(NamedTuple):
    """What is known of how embeddings were trained; the gauge group follows from it by rule."""

    sees: Sees
    """What of the scores ``users @ items.T`` (plus biases) the loss depends on. "scores": each of them. "differences":
    differences of one user's scores. "rows and columns": differences within users and within items at once, so all
    scores but one constant. "dot products": some loss of them, of which kind is not said. "cosines": cosines, or dot
    products of vectors kept at norm one. "one encoder": dot products of one table with itself. "unknown"."""
    penalty: Penalty
    """"factors": an L2 penalty on both tables."""
    biases: Biases
    """Biases trained freely beside the vectors; penalised ones count as none. "unknown" where the name does not say."""
    about: str
    """What the loss is, in plain words."""
    source: str
    """Equation or section."""
    balanced: Literal["rows", "counts"] | None = None
    """Which Grams of users and items are equal up to a factor at the optimum, so that tables can be tested: those of
    the rows, or those with each row weighted by its number of interactions. None: neither."""

    @property
    def verdict(self) -> Identifiability:
        """For the cosine of either side."""
        if self.sees in ("cosines", "one encoder"):
            return "identified"
        if self.penalty == "factors":
            return "controlled by the regulariser"
        return "unknown" if self.sees == "unknown" else "arbitrary"

    @property
    def shifts(self) -> Center:
        """The sides whose vectors may all move by one vector without the loss noticing, for certain."""
        return center_of(self._free_sides(self.biases))

    @property
    def possible_shifts(self) -> Center:
        """As `shifts`, with those that are free under what is not known of the loss and its biases."""
        if self._shifts_are_fixed:
            return "none"
        if self.sees in ("dot products", "unknown") or self.biases == "unknown":
            return "both"
        return self.shifts

    @property
    def center(self) -> Center:
        """Centring of the default gauge: of the users, and of every side that may be free to shift."""
        return center_of(centered_sides(self.possible_shifts) | {"users"})

    @property
    def gauge_group(self) -> str:
        """Changes of the latent space that the training loss cannot see."""
        if self.verdict == "unknown":
            return "unknown"
        if self._shifts_are_fixed:
            return "O(k)"
        certain = centered_sides(self.shifts)
        known = " and of the ".join(sorted(certain))
        doubtful = " and of the ".join(sorted(centered_sides(self.possible_shifts) - certain))
        text = f"GL(k) and shifts of the {known}" if known else "GL(k)"
        return f"{text}; shifts of the {doubtful} not known" if doubtful else text

    @property
    def reason(self) -> str:
        """What follows from the loss, in plain words."""
        parts = [f"{self.about}: {_FOLLOWS[self.sees, self.verdict]}"]
        if self._shifts_are_fixed:
            return parts[0]
        if self.sees == "differences":
            parts.append(
                "adding one vector to all items moves each user's scores by one constant, which a loss of score "
                "differences cannot see"
            )
        parts += [
            f"free biases of the {own} take up what adding one vector to all {other} changes"
            for own, other in (("items", "users"), ("users", "items"))
            if self.biases in (own, "both")
        ]
        if self.possible_shifts != self.shifts:
            parts.append("biases trained freely would free shifts too (pass biases= if you know of them)")
        return "; ".join(parts)

    @property
    def _shifts_are_fixed(self) -> bool:
        """A penalty on a table is smallest at one shift only, and lengths (or the other side) change with a shift."""
        return self.verdict in ("identified", "controlled by the regulariser")

    def _free_sides(self, biases: Biases) -> frozenset[str]:
        if self._shifts_are_fixed:
            return frozenset()
        items = self.sees == "differences" or biases in ("users", "both")
        users = biases in ("items", "both")
        return frozenset(side for side, free in (("items", items), ("users", users)) if free)


_FREE = "the loss only sees dot products, so any invertible change of the latent space leaves it as it is"
_STEERED = (
    "the penalty on both factors selects one gauge (up to rotation): the cosine is repeatable, but it is the "
    "regulariser's choice, not the data's"
)
_COSINES = (
    "cosine is what was trained; a change of gauge would have to keep every length, and only rotations do, if what was "
    "trained points in enough directions"
)
_FOLLOWS: Mapping[tuple[str, Identifiability], str] = {
    **{(sees, "arbitrary"): _FREE for sees in ("scores", "differences", "rows and columns", "dot products")},
    **{
        (sees, "controlled by the regulariser"): _STEERED
        for sees in ("scores", "differences", "rows and columns", "dot products", "unknown")
    },
    ("cosines", "identified"): _COSINES,
    ("one encoder", "identified"): (
        "both sides move together, and only rotations leave the dot products of a table with itself as they are"
    ),
    ("unknown", "unknown"): (
        "whether training determined the cosine depends on the loss and its penalties; pass objective= if you know them"
    ),
}
_EARLY = "with a weak penalty, initial scale and early stopping select the gauge"
_SGD = "Eq. 3; Du, Hu, Lee (2018), arXiv 1806.00900"
_ENCODERS = "Eq. 3; Roeder et al. 2021"

OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {
        "product": Objective("scores", "none", "none", "the penalty is on the product ABᵀ", "Eq. 1, Eq. 3"),
        "dropout": Objective(
            "scores", "none", "none", "input dropout penalises the product ABᵀ only", "Eq. 1, read as input dropout"
        ),
        "none": Objective("dot products", "none", "unknown", "there is no penalty", "Eq. 3"),
        "factors": Objective(
            "scores", "factors", "none", "squared error, L2 on both factors", "Eq. 2, Eq. 6", "rows"
        ),
        "weights": Objective(
            "scores", "factors", "none", "squared error, weight decay on A and B", "as Eq. 2; decay of A and B"
        ),
        "als": Objective(
            "scores",
            "factors",
            "unknown",
            "alternating least squares, one L2 strength for all rows (count-weighted penalties and different "
            "strengths per "
            "side select other gauges)",
            "Eq. 2, Eq. 6",
            "rows",
        ),
        "als-wr": Objective(
            "scores",
            "factors",
            "none",
            "alternating least squares, L2 on each row times its number of interactions (ALS-WR, as Spark)",
            "Eq. 2, weighted; Zhou et al. (2008)",
            "counts",
        ),
        "bpr": Objective(
            "differences",
            "factors",
            "unknown",
            f"pairwise ranking loss (BPR), L2 on both factors ({_EARLY})",
            f"Eq. 2 for the penalty; {_SGD}",
        ),
        "lmf": Objective(
            "scores",
            "factors",
            "unknown",
            f"logistic loss, L2 on both factors ({_EARLY})",
            f"Eq. 2 for the penalty; {_SGD}",
        ),
        "warp": Objective("differences", "none", "unknown", "ranking loss (WARP, hinge), no penalty by default", _SGD),
        "svd": Objective(
            "scores",
            "none",
            "none",
            "a truncated SVD fixes U, Σ, V, but whether items are V, V√Σ or VΣ is the library's convention",
            "section 2.2",
        ),
        "softmax": Objective(
            "differences", "none", "unknown", "softmax over the items for each user, on dot products", _ENCODERS
        ),
        "contrastive": Objective(
            "differences", "none", "none", "InfoNCE in one direction (items for each user), on dot products", _ENCODERS
        ),
        "clip": Objective(
            "rows and columns", "none", "none", "InfoNCE in both directions (as CLIP), on dot products", _ENCODERS
        ),
        "word2vec": Objective("scores", "none", "none", "negative sampling over dot products, no penalty", _SGD),
        "glove": Objective(
            "scores", "none", "both", "least squares on dot products with both biases, no penalty", _SGD
        ),
        "unit-sphere": Objective(
            "cosines", "none", "none", "the vectors were kept at norm one during training", "rank of the b bᵀ, see "
            "core/gauges/sphere_spanning.py"
        ),
        "cosine": Objective(
            "cosines", "none", "none", "the loss normalised the vectors, which are stored with other "
            "lengths", "rank of the b bᵀ, see core/gauges/sphere_spanning.py"
        ),
        "siamese": Objective(
            "one encoder", "none", "none", "one encoder or table serves both sides, on dot products or "
            "cosines", "S = G Gᵀ = I where b S bᵀ' = b bᵀ' for all pairs"
        ),
        "normalised-afterwards": Objective(
            "dot products",
            "none",
            "unknown",
            "normalising after training changes what is stored, not what was determined",
            "section 3",
        ),
        "unknown": Objective("unknown", "none", "unknown", "nothing is known of the training", "Eq. 3"),
    }
)  # fmt: skip
"""Objective name -> what is known of it. Users are the side that scores are compared within: for a softmax over
contexts, labels or documents those are the items, and the words, images or queries the users."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "infonce": "contrastive",
        "one-directional-infonce": "contrastive",
        "symmetric-infonce": "clip",
        "symmetric-contrastive": "clip",
        "two-tower": "softmax",
        "sampled-softmax": "softmax",
        "cross-entropy": "softmax",
        "hinge": "warp",
        "pairwise-hinge": "warp",
        "ials": "als",
        "wrmf": "als",
        "spark-als": "als-wr",
        "mf": "factors",
        "weight-decay": "weights",
        "logistic": "lmf",
        "normalized-afterwards": "normalised-afterwards",
        "tied": "siamese",
        "shared-encoder": "siamese",
        "sgns": "word2vec",
        "skip-gram": "word2vec",
        "puresvd": "svd",
        "truncated-svd": "svd",
    }
)
"""Other names that mean the same."""
