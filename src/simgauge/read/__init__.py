"""Files and library objects in, `Embedding` or `Interactions` out."""
