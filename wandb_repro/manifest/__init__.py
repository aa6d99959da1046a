"""The record of a run: typed, frozen, readable for ever. Pure: it reads no machine and no disk."""
