"""Digital signatures in a data set: the MAC stream, the two sequences, structure and coverage."""
