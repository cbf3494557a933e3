"""Tests lie where the source lies: a folder for each folder, and a test file is named after the file that it tests."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SOURCE = TESTS.parent / "src" / "simgauge"

ACROSS_FILES = {
    "test_numbers_at_the_edge.py": "degenerate and extreme tables, through every command",
    "test_whole_numbers.py": "NumPy's integers and seeds, through every public function",
    "auditing/checks/test_gauge_dependence.py": "a law over all checks",
    "auditing/test_audit_elsewhere.py": "whole audits of tables in parts, memory-mapped and on devices",
    "auditing/test_real_audits.py": "whole audits of real embeddings",
    "auditing/test_verdicts.py": "verdicts of whole audits, on planted faults and on controls",
    "browser/test_page.py": "the page of a report, in a real browser",
    "browser/test_site.py": "the documentation, built",
    "cli/test_align_apply.py": "two commands that follow each other",
    "cli/test_export_check.py": "two commands that follow each other",
    "cli/test_preview_calibrate.py": "two commands that follow each other",
    "cli/test_fit_from_disk.py": "one command, with data on disk that memory does not hold",
    "cli/test_gates.py": "the options of several commands that continuous integration uses",
    "core/bounds/test_tensor_bounds.py": "all bounds, for tensors",
    "core/geometry/test_gauge_dependence.py": "a law over all measures of geometry",
    "core/neighbors/test_neighbor_scaling.py": "csls, local_scaling and norm_discount share their reference",
    "selection/test_drift.py": "the whole choice, on real data with times",
    "selection/test_claims.py": "the whole choice, under nulls and where the truth is known",
    "core/neighbors/test_tensor_lists.py": "all lists of neighbours, for tensors",
    "core/spectral/test_tensor_spectrum.py": "all routes to a spectrum, for tensors",
    "evidence/test_nulls.py": "claims of all kinds of evidence under simulated nulls",
    "distributed/test_cluster_audits.py": "whole audits on a cluster",
    "distributed/test_docs_clusters.py": "the code of a page of the documentation",
    "read/test_promised_sizes.py": "sizes in headers, in every reader",
    "read/events/test_shared_cases.py": "all readers of events, on files that people sent",
    "read/test_real_data.py": "all readers, on real files",
    "read/test_spill_failures.py": "spill and the store, when a disk or a process fails",
    "read/vectors/test_shared_cases.py": "damaged and unusual files that were shared with the project",
    "remedies/test_gauge.py": "a law over all remedies",
    "remedies/test_ids.py": "how ids meet in every remedy",
    "remedies/test_interface.py": "what all remedies promise",
    "remedies/test_neighbor_remedies.py": "csls, local_scaling and norm_discounting share their reference",
    "remedies/test_targets.py": "each remedy improves the finding that it is for",
    "shipping/test_killed_exports.py": "whole commands, killed at random moments",
    "stores/test_docs_stores.py": "a page of the documentation",
    "test_assertions.py": "the syntax of the tests",
    "test_docs.py": "the code of README and docs",
    "test_fuzz.py": "all readers, on changed files",
    "test_layers.py": "the structure of the source",
    "test_messages.py": "options that messages, help and pages name",
    "test_memory_limits.py": "the formulas of docs/memory.md, in child processes",
    "test_mirrors.py": "the structure of the tests",
    "test_prose.py": "the English of docstrings, messages and pages",
    "test_torture.py": "whole commands, killed at random moments",
}
"""Test files that belong to no single source file, and why."""


def paths(root: Path, pattern: str) -> list[Path]:
    return sorted(path.relative_to(root) for path in root.rglob(pattern))


@pytest.mark.parametrize("path", paths(TESTS, "test_*.py"), ids=str)
def test_a_test_file_is_named_after_its_source(path):
    """Or after its folder, where it tests the folder as a whole."""
    name = path.name.removeprefix("test_").removesuffix(".py")
    of_a_file = (SOURCE / path.parent / f"{name}.py").is_file()
    of_its_folder = name == path.parent.name and (SOURCE / path.parent / "__init__.py").is_file()
    alone = of_a_file or of_its_folder
    assert alone != (path.as_posix() in ACROSS_FILES), "name it after the file it tests, or list it with a reason"


def test_every_listed_file_exists():
    assert set(ACROSS_FILES) <= {path.as_posix() for path in paths(TESTS, "test_*.py")}


def test_every_folder_of_the_source_has_tests():
    tested = {path.parent for path in paths(TESTS, "test_*.py")}
    with_code = {path.parent for path in paths(SOURCE, "*.py") if path.name != "__init__.py"}
    assert with_code <= tested, sorted(map(str, with_code - tested))
