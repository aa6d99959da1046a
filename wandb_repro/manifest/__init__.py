"""The record of a run: typed, frozen, readable by every later version. Pure: reads no disk."""
