"""The error for a cluster that cannot finish the work."""

from __future__ import annotations

from simgauge.errors import SimgaugeError


class ClusterError(SimgaugeError, RuntimeError):
    """Workers were lost again and again, or data that nothing can rebuild; the message says what to change."""
