"""Records the source tree through git, without changing it."""
