"""Runs README's two commands, as they stand, on bare Debian machines."""
