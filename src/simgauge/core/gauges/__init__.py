"""Gauges of a dot-product model: canonical form, random gauges, whitening, and what fixes a gauge."""
