"""The paper's simulation and figures, reproduced."""
