"""Digests of the files that a run leaves behind, by what is in them."""
