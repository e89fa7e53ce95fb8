"""The documents in openapi/ say what the service does."""
