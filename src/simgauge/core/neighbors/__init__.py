"""Exact nearest neighbours, how lists overlap, and similarities that rescale them."""
