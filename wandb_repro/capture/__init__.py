"""Reads facts of this machine and process; each module turns one kind of fact into a record."""
