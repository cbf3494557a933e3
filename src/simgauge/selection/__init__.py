"""Choose among remedies by evidence, and say how sure the choice is."""

from simgauge.selection.fix import fix
from simgauge.selection.record import Change, Row, Selection

__all__ = ["Change", "Row", "Selection", "fix"]
