"""The pages the service shows: files only."""
