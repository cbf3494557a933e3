"""simgauge: is the cosine similarity of your embeddings about similarity?

Public names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simgauge.auditing.comparison import compare_models
    from simgauge.auditing.run import Audit, audit
    from simgauge.bias import drop_bias
    from simgauge.core.bounds.certificates import certified_share, neighbor_certificate
    from simgauge.core.bounds.cosine_bounds import attaining_gauge, cosine_bounds
    from simgauge.core.closed_form.catalogue import catalogue_gauge
    from simgauge.core.closed_form.factorize import factorize
    from simgauge.core.closed_form.path import factorize_path
    from simgauge.core.neighbors.topk import iter_top_k, top_k
    from simgauge.core.spectral.spectrum import GrowingSpectrum, Spectrum, spectrum
    from simgauge.datasets.clusters import simulate_clusters
    from simgauge.datasets.python_imports import load_demo_data
    from simgauge.embedding import Embedding
    from simgauge.errors import InputError, MissingDependencyError, ParameterError, RankWarning, SimgaugeError
    from simgauge.findings import Finding
    from simgauge.gauge import Canonical, canonical_gauge, canonicalize, gauge_transform, random_gauge
    from simgauge.interactions import Interactions
    from simgauge.models import LinearAutoencoder
    from simgauge.neighbors import compare_neighbors, standard_gauges
    from simgauge.paper.reproduction import reproduce
    from simgauge.read.embedding_files import read_embedding
    from simgauge.read.interactions import read_interactions
    from simgauge.read.libraries import from_library
    from simgauge.selection import Selection, select

__version__ = "0.1.0"

_HOME = {
    "Audit": "auditing.run",
    "Canonical": "gauge",
    "Embedding": "embedding",
    "Finding": "findings",
    "GrowingSpectrum": "core.spectral.spectrum",
    "InputError": "errors",
    "Interactions": "interactions",
    "LinearAutoencoder": "models",
    "MissingDependencyError": "errors",
    "ParameterError": "errors",
    "RankWarning": "errors",
    "Selection": "selection",
    "SimgaugeError": "errors",
    "Spectrum": "core.spectral.spectrum",
    "StoredInteractions": "read.store.stored_interactions",
    "attaining_gauge": "core.bounds.cosine_bounds",
    "audit": "auditing.run",
    "canonical_gauge": "gauge",
    "canonicalize": "gauge",
    "catalogue_gauge": "core.closed_form.catalogue",
    "certified_share": "core.bounds.certificates",
    "compare_models": "auditing.comparison",
    "compare_neighbors": "neighbors",
    "cosine_bounds": "core.bounds.cosine_bounds",
    "drop_bias": "bias",
    "factorize": "core.closed_form.factorize",
    "factorize_path": "core.closed_form.path",
    "from_library": "read.libraries",
    "gauge_transform": "gauge",
    "iter_top_k": "core.neighbors.topk",
    "load_demo_data": "datasets.python_imports",
    "neighbor_certificate": "core.bounds.certificates",
    "random_gauge": "gauge",
    "read_embedding": "read.embedding_files",
    "read_interactions": "read.interactions",
    "reproduce": "paper.reproduction",
    "select": "selection",
    "simulate_clusters": "datasets.clusters",
    "spectrum": "core.spectral.spectrum",
    "spill_interactions": "read.spill",
    "standard_gauges": "neighbors",
    "top_k": "core.neighbors.topk",
}
"""Public name -> module that defines it."""

__all__ = [
    "Audit",
    "Canonical",
    "Embedding",
    "Finding",
    "GrowingSpectrum",
    "InputError",
    "Interactions",
    "LinearAutoencoder",
    "MissingDependencyError",
    "ParameterError",
    "RankWarning",
    "Selection",
    "SimgaugeError",
    "Spectrum",
    "StoredInteractions",
    "attaining_gauge",
    "audit",
    "canonical_gauge",
    "canonicalize",
    "catalogue_gauge",
    "certified_share",
    "compare_models",
    "compare_neighbors",
    "cosine_bounds",
    "drop_bias",
    "factorize",
    "factorize_path",
    "from_library",
    "gauge_transform",
    "iter_top_k",
    "load_demo_data",
    "neighbor_certificate",
    "random_gauge",
    "read_embedding",
    "read_interactions",
    "reproduce",
    "select",
    "simulate_clusters",
    "spectrum",
    "spill_interactions",
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
