"""Interaction matrices: what X is, its products, its Gram matrix and its reweighting."""
