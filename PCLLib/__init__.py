"""What the Slicer modules of this extension share: the engine's processes, dependencies, and parts of their panels.

The modules reach the engine through its command line, its events and its files. Nothing here imports PyTorch, and nothing
heavy is imported when Slicer starts.
"""
