"""A folder on the ``PYTHONPATH`` of processes that a recorded process starts."""
