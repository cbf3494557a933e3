"""simgauge: is the cosine similarity of your embeddings about similarity?

Public names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simgauge.auditing.comparison import compare
    from simgauge.auditing.run import audit
    from simgauge.core.bounds.certificates import neighbor_certificate
    from simgauge.core.bounds.cosine_bounds import cosine_bounds
    from simgauge.core.closed_form.catalogue import named_gauge
    from simgauge.core.closed_form.factorize import factorize
    from simgauge.core.closed_form.path import factorize_path
    from simgauge.core.neighbors.topk import iter_top_k, top_k
    from simgauge.core.spectral.spectrum import measure_residuals, spectrum
    from simgauge.datasets.clusters import simulate_clusters
    from simgauge.datasets.python_imports import load_demo_data
    from simgauge.embedding import Embedding
    from simgauge.errors import (
        ConvergenceWarning,
        InputError,
        MissingDependencyError,
        ParameterError,
        RankWarning,
        SimgaugeError,
    )
    from simgauge.evaluation.evaluate import evaluate
    from simgauge.gauge import CanonicalForm, canonical_form, canonical_gauge, gauge_transform, random_gauge
    from simgauge.interactions import Interactions
    from simgauge.models import LinearAutoencoder
    from simgauge.paper.reproduction import reproduce
    from simgauge.read.embedding_files import read_embedding
    from simgauge.read.interactions import read_interactions
    from simgauge.read.libraries import from_library
    from simgauge.read.spill import store_interactions
    from simgauge.selection.fix import fix
    from simgauge.shipping.align import align
    from simgauge.shipping.apply import apply
    from simgauge.shipping.calibrate import calibrate
    from simgauge.shipping.check import check
    from simgauge.shipping.export import export
    from simgauge.shipping.preview import preview
    from simgauge.shipping.stability import stability
    from simgauge.shipping.upgrade import upgrade

__version__ = "0.1.0"

_HOME = {
    "CanonicalForm": "gauge",
    "ConvergenceWarning": "errors",
    "Embedding": "embedding",
    "InputError": "errors",
    "Interactions": "interactions",
    "LinearAutoencoder": "models",
    "MissingDependencyError": "errors",
    "ParameterError": "errors",
    "RankWarning": "errors",
    "SimgaugeError": "errors",
    "align": "shipping.align",
    "apply": "shipping.apply",
    "audit": "auditing.run",
    "calibrate": "shipping.calibrate",
    "canonical_form": "gauge",
    "canonical_gauge": "gauge",
    "check": "shipping.check",
    "compare": "auditing.comparison",
    "cosine_bounds": "core.bounds.cosine_bounds",
    "evaluate": "evaluation.evaluate",
    "export": "shipping.export",
    "factorize": "core.closed_form.factorize",
    "factorize_path": "core.closed_form.path",
    "fix": "selection.fix",
    "from_library": "read.libraries",
    "gauge_transform": "gauge",
    "iter_top_k": "core.neighbors.topk",
    "load_demo_data": "datasets.python_imports",
    "measure_residuals": "core.spectral.spectrum",
    "named_gauge": "core.closed_form.catalogue",
    "neighbor_certificate": "core.bounds.certificates",
    "preview": "shipping.preview",
    "random_gauge": "gauge",
    "read_embedding": "read.embedding_files",
    "read_interactions": "read.interactions",
    "reproduce": "paper.reproduction",
    "simulate_clusters": "datasets.clusters",
    "spectrum": "core.spectral.spectrum",
    "stability": "shipping.stability",
    "store_interactions": "read.spill",
    "top_k": "core.neighbors.topk",
    "upgrade": "shipping.upgrade",
}
"""Public name -> module that defines it."""

__all__ = [
    "CanonicalForm",
    "ConvergenceWarning",
    "Embedding",
    "InputError",
    "Interactions",
    "LinearAutoencoder",
    "MissingDependencyError",
    "ParameterError",
    "RankWarning",
    "SimgaugeError",
    "align",
    "apply",
    "audit",
    "calibrate",
    "canonical_form",
    "canonical_gauge",
    "check",
    "compare",
    "cosine_bounds",
    "evaluate",
    "export",
    "factorize",
    "factorize_path",
    "fix",
    "from_library",
    "gauge_transform",
    "iter_top_k",
    "load_demo_data",
    "measure_residuals",
    "named_gauge",
    "neighbor_certificate",
    "preview",
    "random_gauge",
    "read_embedding",
    "read_interactions",
    "reproduce",
    "simulate_clusters",
    "spectrum",
    "stability",
    "store_interactions",
    "top_k",
    "upgrade",
]


_SUBMODULES = ("cosine_training", "deep", "distributed", "evidence", "plot", "remedies")
"""Public modules, reached as attributes too: ``simgauge.evidence.hold_out``."""


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"simgauge.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'simgauge' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"simgauge.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_SUBMODULES})
