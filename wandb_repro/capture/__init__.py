"""The machine is read here: one file a fact, each a function from the host to a record."""
