"""What `generate.py` writes: the manual and the profiles."""
