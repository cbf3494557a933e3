"""Atomic writes, and the directories that hold saved embeddings."""
