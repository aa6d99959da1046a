"""What lives during a run: seeds are set, facts gathered, the trail written. Never stops it."""
