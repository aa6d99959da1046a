"""The demo's project, as it is copied into a folder of its own: a script and an untracked file."""
