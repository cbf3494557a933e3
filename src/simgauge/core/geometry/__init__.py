"""Geometry of a table of vectors: axes, norms, distances, duplicates, outliers, queries."""
