"""The source tree as it is, read through git without changing anything."""
