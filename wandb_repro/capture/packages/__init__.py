"""The installed packages: what they are, what was edited, what no index has."""
