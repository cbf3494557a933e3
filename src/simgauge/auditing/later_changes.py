"""What was done to the tables after training, as far as the provenance tells: a gauge chosen on purpose, another
map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from simgauge.core.gauges.canonical import Center, centered_sides


class ChosenGauge(NamedTuple):
    """A canonical gauge that simgauge wrote."""

    power: float
    """α."""
    center: Center
    """Sides whose mean was subtracted."""

    def is_invariant_under(self, shifts: Center) -> bool:
        """Whether its items are the same after any gauge and after a shift of those sides.

        α = 0 weighs directions by the items alone, so a shift of the users does not matter to it.
        """
        missing = centered_sides(shifts) - centered_sides(self.center)
        return not (missing - {"users"} if self.power == 0 else missing)

    def __str__(self) -> str:
        sides = " and ".join(sorted(centered_sides(self.center)))
        return f"the canonical gauge α = {self.power:g}{f', {sides} centred' if sides else ''}"


def chosen_gauge(provenance: Mapping[str, Any]) -> ChosenGauge | None:
    """The canonical gauge the tables are in on purpose; None where nothing or something else was done last.

    Examples
    --------
    >>> str(chosen_gauge({"gauge": {"name": "canonical", "power": 1.0, "center": "users"}}))
    'the canonical gauge α = 1, users centred'
    >>> chosen_gauge({"gauge": {"name": "custom"}})
    """
    found = provenance.get("gauge")
    if not isinstance(found, Mapping) or found.get("name") != "canonical":
        return None
    power, center = found.get("power"), found.get("center")
    if not isinstance(power, int | float) or center not in ("none", "items", "users", "both"):
        return None
    return ChosenGauge(float(power), cast("Center", center))


def later_change(provenance: Mapping[str, Any]) -> str | None:
    """What was done to the tables after training, in words; None where nothing is recorded.

    Examples
    --------
    >>> later_change({"gauge": {"name": "custom", "predictions_kept": True}})
    'a change of gauge (custom)'
    >>> later_change({"remedy": {"name": "leave alone(cosine)"}, "objective": "als"})
    """
    chosen = chosen_gauge(provenance)
    if chosen is not None:
        return str(chosen)
    gauge, remedy = provenance.get("gauge"), provenance.get("remedy")
    if isinstance(gauge, Mapping):
        return f"a change of gauge ({gauge.get('name', 'not named')})"
    if isinstance(remedy, Mapping) and not str(remedy.get("name", "")).startswith("leave alone"):
        return f"the remedy {remedy.get('name', 'not named')}"
    return "columns of biases were dropped" if provenance.get("dropped_bias_columns") else None
