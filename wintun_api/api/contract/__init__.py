"""The contract as documents, generated from the routes, the models and the codec.

    served     the application whose document is the contract
    openapi    OpenAPI 3.1 of the REST routes: FastAPI's document, finished
    operations the same, operation by operation
    examples   of bodies, from the models; refusals: of problems, from the errors
    links      which answer names what another operation asks for
    shapes     JSON schemas in the plain forms that generators of clients understand
    asyncapi   AsyncAPI 3.0 of the packet socket and the events; messages: examples of them
    frame      the batch frame byte by byte
    vectors    messages of the batch frame, valid and invalid, for clients' codecs
    documents  every file of the folder openapi/, by name

`python -m wintun_api.api.contract openapi` writes the files into that folder; a test holds them
to the code.
"""
