"""One training being recorded, a ``fit`` or a loop: what is digested and when; no framework."""
