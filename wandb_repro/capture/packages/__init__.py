"""The installed packages: versions, edited files, and wheels of those that no index has."""
