"""One file a command: what it does between reading its arguments and its last event."""
