"""Audits: how arbitrary the cosines of an embedding are, and what its geometry does to neighbours."""

from simgauge.auditing.result import Audit
from simgauge.auditing.run import DEFAULT_SAMPLE, audit

__all__ = ["DEFAULT_SAMPLE", "Audit", "audit"]
