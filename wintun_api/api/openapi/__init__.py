"""What the service needs to serve `/openapi.json`, from the routes, the models and the errors.

    served      the application class, whose document this is
    document    OpenAPI 3.1 of the REST routes: FastAPI's document, finished
    operations  the same, operation by operation
    examples    examples of bodies, from the models
    refusals    examples of problem documents, from the errors
    links       which answer names what another operation asks for
    enums       sets of values: what each value means, and which sets may grow later
    shapes      JSON schemas in the plain forms that generators of clients understand

The service imports all but `served` at the first request for the document. The folder openapi/ of
the repository has the same document; tests/contract writes it.
"""
