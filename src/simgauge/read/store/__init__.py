"""Interactions larger than memory, sorted on disk."""
