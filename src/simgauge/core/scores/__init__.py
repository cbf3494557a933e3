"""Scores of ranked lists and judged pairs, and the splits that hold data out."""
