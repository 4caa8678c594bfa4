"""PythonQt's way of showing Qt to Python, over PySide6."""
