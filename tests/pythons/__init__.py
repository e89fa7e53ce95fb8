"""Runs what depends on the interpreter on several versions of Python."""
