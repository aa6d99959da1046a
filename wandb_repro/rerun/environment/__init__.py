"""The environment of a rerun: found, built, compared and kept."""
