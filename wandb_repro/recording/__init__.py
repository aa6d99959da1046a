"""One run being recorded."""
