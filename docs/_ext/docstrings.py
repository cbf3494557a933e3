"""Docstrings in numpydoc sections, ours (Gauge, Numerics) among them, as reStructuredText.

Sphinx's napoleon does this as an extension, but takes "Share: one in ten" of an attribute for a type and its meaning.
Docstrings of attributes are plain sentences here, so its converter is called for everything else.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config, NumpyDocstring

SECTIONS = [("Gauge", "notes_style"), ("Numerics", "notes_style")]
CONFIG = Config(
    napoleon_use_rtype=False, napoleon_use_param=False, napoleon_use_ivar=True, napoleon_custom_sections=SECTIONS
)


def _convert(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    if what in ("attribute", "property", "data"):
        return
    lines[:] = NumpyDocstring(lines, CONFIG, app, what, name, obj, options).lines()


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the converter to autodoc."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", _convert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
