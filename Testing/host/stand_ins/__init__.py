"""Stand-ins for CTK's and Slicer's widgets: ordinary PySide6 widgets that bear the real class names."""
