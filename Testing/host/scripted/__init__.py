"""What Slicer gives to scripted modules in Python: base classes, parameter nodes, packages, translations."""
