"""Clients made by generators of `openapi/openapi.json`: their compilation, and a walk through each.

    languages  which generators make what, what compiles it, what runs it
    generate   the generators' own programs, with the settings beside each walk
    build      the compilers, and the walk against a running service

Each language has a folder with the generator's settings and, where it is compiled here, a program
that walks from an adapter's creation to a problem document. `python -m tests.sdks` makes the
clients anywhere.
"""
