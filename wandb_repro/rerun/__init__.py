"""A recorded run is rebuilt in a fresh place and started again."""
