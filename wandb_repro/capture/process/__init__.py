"""How this process was started, and which files it opened and imported."""
