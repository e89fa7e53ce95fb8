"""The C file as such: its warnings, its functions, and what hostile arguments do to it."""
