"""The HTTP and WebSocket edge: FastAPI, pydantic, security.

    app          create the application: routes, lifespan, handlers
    server       uvicorn with our WebSocket protocol and an orderly shutdown
    security     Host, Origin, token, scope: one check for HTTP and WebSocket
    tokens       the admin token, issued tokens, browser cookies
    methods      which a path has, for the Allow header
    head         HEAD wherever there is GET
    problems     errors to problem+json and close codes: one table
    schemas      the pydantic models
    context      what the routes share
    adapters  sessions  packets  system   REST, one router per resource
    streams      the packet socket
    events       events over WebSocket and SSE
    connection   one packet client: its subscription, its injections, its control messages
    link         bytes to and from one WebSocket client, fast on our server, plain elsewhere
    protocol     the uvicorn WebSocket protocol class behind the fast link
    contract     what all this is, as OpenAPI and AsyncAPI documents
    page         the dashboard's place, the API docs, the sign-in

REST routes contain no `try`: errors become answers in `problems` alone.
"""
