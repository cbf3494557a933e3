"""How Sphinx builds the documentation: `make docs`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import simgauge

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "simgauge"
author = "The simgauge developers"
version = release = simgauge.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "myst_nb",
    "sphinx_copybutton",
    "sphinx_design",
    "bench_tables",
    "command_reference",
    "docstrings",
    "mathml",
]
exclude_patterns = ["_ext"]
default_role = "literal"
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!simgauge\.).*")]
"""Names of other libraries, and the words in which docstrings describe types, are no references."""
suppress_warnings = ["ref.python", "misc.highlighting_failure"]
"""One attribute name in several classes; placeholders in SQL that the highlighter does not know."""

myst_enable_extensions = ["colon_fence", "deflist", "dollarmath", "attrs_inline"]
myst_heading_anchors = 3

# Every example is executed at every build, in an empty folder. An error is a warning, and `make docs` ends on warnings.
# IPython gets a profile of its own, so that nobody's settings are part of the pages.
profile = Path(__file__).parents[1] / "build" / "ipython" / "profile_default"
(profile / "startup").mkdir(parents=True, exist_ok=True)
(profile / "ipython_kernel_config.py").write_text(
    "c.IPKernelApp.log_level = 'ERROR'\nc.HistoryManager.enabled = False\n", encoding="utf-8"
)
shutil.copy(Path(__file__).parent / "_ext" / "ipython_startup.py", profile / "startup" / "startup.py")
os.environ["IPYTHONDIR"] = str(profile.parent)
os.environ.update(COLUMNS="72", NO_COLOR="1", HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_timeout = 300
nb_execution_show_tb = True
nb_merge_streams = True

autosummary_generate = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_default_options = {
    "exclude-members": (
        "get_metadata_routing, set_fit_request, set_inverse_transform_request, set_output, set_transform_request"
    ),
}
"""What scikit-learn gives every estimator; its own pages describe it."""

html_theme = "pydata_sphinx_theme"
html_title = "simgauge"
html_static_path = ["_static"]
html_css_files = ["simgauge.css"]
html_math_renderer = "mathml"
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": {"**": ["page-toc"], "paper": [], "results": []},
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"index": [], "cosine-or-dot": []}
html_context = {"default_mode": "auto"}
copyright = "The simgauge developers, Apache-2.0"

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
