"""Pieces of HTML that stand alone: what a notebook shows for an audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simgauge.report.html import environment


def audit_table(audit: Mapping[str, Any]) -> str:
    """Verdict and findings as one HTML table; every text is escaped."""
    return environment().get_template("audit_table.html.j2").render(audit=audit)
