"""Training in processes that a recorded process started: noticed, and named in its record."""
