"""The `slicer` namespace: the application, its modules, its settings, its files."""
