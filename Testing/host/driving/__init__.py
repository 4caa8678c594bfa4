"""What tests use: clicks, dialogs that are answered, waiting, photographs."""
