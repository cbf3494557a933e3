"""Arrays in, arrays out: the mathematics of simgauge, without files, estimators or plots."""
