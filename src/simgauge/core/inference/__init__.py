"""Intervals, paired comparisons and trade-offs between measures."""
