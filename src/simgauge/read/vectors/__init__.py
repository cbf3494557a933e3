"""Tables of vectors in files and columns."""
