"""How far a cosine can move, and which neighbours no metric within a budget can change."""
