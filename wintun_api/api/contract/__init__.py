"""The contract as documents, generated from the routes, the models and the codec.

    openapi    OpenAPI 3.1 of the REST routes: FastAPI's document, finished
    shapes     JSON schemas in the plain forms that generators of clients understand
    vectors    messages of the batch frame, valid and invalid, for clients' codecs
    documents  every file of the folder openapi/, by name

`python -m wintun_api.api.contract openapi` writes the files into that folder; a test holds them
to the code.
"""
