"""Truncated singular value decompositions of large sparse matrices."""
