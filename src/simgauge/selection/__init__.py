"""Choose among remedies by evidence, and say how sure the choice is."""

from simgauge.selection.record import Change, Row, Selection
from simgauge.selection.select import select

__all__ = ["Change", "Row", "Selection", "select"]
