"""simgauge: is the cosine similarity of your embeddings about similarity?

Public names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simgauge.auditing import Audit, audit
    from simgauge.core.catalogue import catalogue_gauge
    from simgauge.core.factorize import factorize
    from simgauge.core.spectrum import Spectrum, spectrum
    from simgauge.core.topk import top_k
    from simgauge.embedding import Embedding
    from simgauge.errors import (
        InputError,
        MissingDependencyError,
        ParameterError,
        RankWarning,
        SimgaugeError,
    )
    from simgauge.findings import Finding
    from simgauge.gauge import Canonical, canonical_gauge, canonicalize, gauge_transform, random_gauge
    from simgauge.interactions import Interactions
    from simgauge.models import LinearAutoencoder
    from simgauge.neighbors import compare_neighbors, standard_gauges
    from simgauge.read.interactions import read_interactions

__version__ = "0.1.0"

_HOME = {
    "Audit": "auditing",
    "Canonical": "gauge",
    "Embedding": "embedding",
    "Finding": "findings",
    "InputError": "errors",
    "Interactions": "interactions",
    "LinearAutoencoder": "models",
    "MissingDependencyError": "errors",
    "ParameterError": "errors",
    "RankWarning": "errors",
    "SimgaugeError": "errors",
    "Spectrum": "core.spectrum",
    "audit": "auditing",
    "canonical_gauge": "gauge",
    "canonicalize": "gauge",
    "catalogue_gauge": "core.catalogue",
    "compare_neighbors": "neighbors",
    "factorize": "core.factorize",
    "gauge_transform": "gauge",
    "random_gauge": "gauge",
    "read_interactions": "read.interactions",
    "spectrum": "core.spectrum",
    "standard_gauges": "neighbors",
    "top_k": "core.topk",
}
"""Public name -> module that defines it."""

__all__ = [
    "Audit",
    "Canonical",
    "Embedding",
    "Finding",
    "InputError",
    "Interactions",
    "LinearAutoencoder",
    "MissingDependencyError",
    "ParameterError",
    "RankWarning",
    "SimgaugeError",
    "Spectrum",
    "audit",
    "canonical_gauge",
    "canonicalize",
    "catalogue_gauge",
    "compare_neighbors",
    "factorize",
    "gauge_transform",
    "random_gauge",
    "read_interactions",
    "spectrum",
    "standard_gauges",
    "top_k",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'simgauge' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"simgauge.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
