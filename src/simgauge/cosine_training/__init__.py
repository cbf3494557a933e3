"""Models trained with respect to cosine, the paper's first remedy: their cosines are what training determined."""

from simgauge.cosine_training.estimator import CosineFactorization

__all__ = ["CosineFactorization"]
