"""The bench: runs Slicer scripted modules, unmodified, outside 3D Slicer. See README.md beside this file."""
