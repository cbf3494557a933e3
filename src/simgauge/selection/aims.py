"""What a choice is for, in words: how much popular items may decide."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from simgauge.evidence.popularity import check_exponent
from simgauge.parameters import check_choice

AimName = Literal["balanced", "discovery", "popular"]


class Aim(NamedTuple):
    """The numbers behind a word."""

    popularity_exponent: float | None
    """None: that of the evidence."""
    popularity_tradeoff: float
    about: str
    """For people: what is not lost, and what is gained."""


AIMS: dict[AimName, Aim] = {
    "balanced": Aim(
        0.5, 0.5, "what users take next and what is rarely taken both count; neither may be lost for the other"
    ),
    "discovery": Aim(1.0, 0.5, "every item counts the same, however rare it is, beside what users take next"),
    "popular": Aim(0.5, 0.0, "what users take next counts alone, and popular items may fill the lists"),
}


def aim_of(
    aim: AimName | None = None, popularity_exponent: float | None = None, popularity_tradeoff: float | None = None
) -> Aim:
    """The numbers of a word, those given by themselves first.

    Without any, the exponent is that of the evidence and both measures count the same.

    Examples
    --------
    >>> aim_of("discovery")[:2], aim_of("discovery", popularity_tradeoff=0.8)[:2], aim_of()[:2]
    ((1.0, 0.5), (1.0, 0.8), (None, 0.5))
    """
    if aim is not None:
        check_choice(aim, "aim", get_args(AimName))
    known = AIMS["balanced"]._replace(popularity_exponent=None) if aim is None else AIMS[aim]
    exponent = known.popularity_exponent if popularity_exponent is None else check_exponent(popularity_exponent)
    tradeoff = known.popularity_tradeoff if popularity_tradeoff is None else popularity_tradeoff
    return known._replace(popularity_exponent=exponent, popularity_tradeoff=tradeoff)
