"""Generated volumes on which the whole path is shown."""
