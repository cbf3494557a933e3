"""simgauge: is the cosine similarity of your embeddings about similarity?"""
