"""What the real classes expose to Python: the kept part of the listing read off a running Slicer."""
