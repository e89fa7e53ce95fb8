"""The documents in openapi/: what writes them, and the tests that hold the service to them.

    documents  every file of the folder openapi/, by name
    asyncapi   AsyncAPI 3.0 of the packet socket and the events
    messages   examples of its messages
    frame      the batch frame byte by byte
    vectors    messages of the batch frame, valid and invalid, for clients' codecs
    routes     the routes that the service has
    promise    what must not change from one release to the next
    hooks      what schemathesis must know about the formats of the API

`uv run python -m tests.contract openapi` writes the files into that folder.
"""
