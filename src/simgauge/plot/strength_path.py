"""The path along the strength of the penalty: what of each component is left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from simgauge.errors import InputError
from simgauge.plot.canvas import GREY, axes_of, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAP = "viridis"
"""A colour map whose lightness falls, so that it reads in grey and with any colour vision."""


def strength_path(models: Iterable[Any], *, ax: Axes | None = None) -> Axes:
    """The share of each component that a penalty leaves, against its strength λ.

    Parameters
    ----------
    models : iterable of PathModel
        Of `factorize_path`, of one penalty and one rank.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
        A line for each component, dark for the strongest: the product of its two scales, 1 without a penalty.

    Raises
    ------
    InputError
        There are no models, or they are of several penalties or ranks.

    Examples
    --------
    >>> import numpy as np
    >>> from simgauge import factorize_path, spectrum
    >>> ax = strength_path(factorize_path(spectrum(np.diag([3.0, 1.0]), 2), l2=[0.0, 1.0]))
    >>> [round(float(share), 3) for share in ax.lines[0].get_ydata()]
    [1.0, 0.9]
    """
    path = sorted(models, key=lambda model: model.l2)
    kinds = {(model.penalty, model.n_components) for model in path}
    if len(kinds) != 1:
        raise InputError(f"expected models of one penalty and one rank, received {len(kinds)} kinds of them.")
    ax = axes_of(ax, 7)
    strengths = [model.l2 for model in path]
    kept = [model.encoder_scale * model.decoder_scale for model in path]
    import matplotlib as mpl

    colors = mpl.colormaps[MAP]
    number = path[0].n_components
    for component in range(number):
        shade = colors(0.9 * component / max(number - 1, 1))
        ax.plot(strengths, [float(shares[component]) for shares in kept], "-", color=shade, lw=1.5)
    positive = [value for value in strengths if value > 0]
    if positive:
        ax.set_xscale("symlog", linthresh=min(positive)) if 0.0 in strengths else ax.set_xscale("log")
    ax.set_ylim(-0.03, 1.05)
    ax.axhline(0, color=GREY, lw=0.8, ls=":")
    ax.set_xlabel(f"λ, strength of the penalty ({path[0].penalty})")
    ax.set_ylabel("share of a component that is left")
    ax.set_title(f"{number} components, the strongest darkest", fontsize="medium")
    return plain(ax)
