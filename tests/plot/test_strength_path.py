"""Lines along λ are the shares of the components that the models keep."""

from __future__ import annotations

import numpy as np
import pytest

from plot_problems import path_of
from simgauge import plot
from simgauge.errors import InputError


def test_a_line_a_component_with_the_share_that_is_left():
    path = path_of()
    ax = plot.strength_path(reversed(path))
    for component in range(4):
        expected = [model.encoder_scale[component] * model.decoder_scale[component] for model in path]
        np.testing.assert_array_equal(ax.lines[component].get_ydata(), expected)
        np.testing.assert_array_equal(ax.lines[component].get_xdata(), [model.l2 for model in path])
    assert ax.get_xscale() == "symlog"
    assert plot.strength_path(path[1:]).get_xscale() == "log"
    assert plot.strength_path(path[:1]).get_xscale() == "linear", "no strength but zero"


@pytest.mark.parametrize("models", [[], "two ranks"])
def test_paths_of_nothing_or_of_several_kinds_are_refused(models):
    from simgauge import factorize_path, spectrum

    several = list(factorize_path(spectrum(np.eye(4), 3), l2=[1.0], n_components=[2, 3]))
    with pytest.raises(InputError, match="one penalty and one rank"):
        plot.strength_path(several if models else models)
