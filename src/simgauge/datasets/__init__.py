"""Data that ship with the package or are simulated."""
