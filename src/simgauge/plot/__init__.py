"""Pictures of results with matplotlib: each function takes a result, draws, and returns the axes.

They draw in the style that is set, on axes that are given (``ax=``) or on a new figure, and change no setting.
``ax.figure.savefig("picture.pdf")`` writes PNG, SVG or PDF. Needs ``pip install 'simgauge[plot]'``.
"""

from simgauge.plot.bounds import bounds
from simgauge.plot.heatmaps import reproduction
from simgauge.plot.neighbors import gauges, neighbors_along
from simgauge.plot.selection import evidence, pareto
from simgauge.plot.strength_path import strength_path

__all__ = ["bounds", "evidence", "gauges", "neighbors_along", "pareto", "reproduction", "strength_path"]
