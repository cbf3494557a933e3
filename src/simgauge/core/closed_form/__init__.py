"""Closed-form solutions of the paper's regularised linear models."""
