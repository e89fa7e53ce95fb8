"""The HTTP and WebSocket edge: FastAPI, pydantic, security.

    app          create the application: routes, lifespan, handlers
    server       uvicorn with our listener and protocols, and an orderly shutdown
    listener     accepts connections
    admission    how many there may be, and which gives way
    http         HTTP/1.1 on one connection, within bounds of size and time
    proxies      what trusted reverse proxies say about the client
    security     Host, Origin, token, scope: one check for HTTP and WebSocket
    access       what a route needs, declared where the route is
    routes       find the route of a request once, and run only what the door let pass
    credentials  what a request shows of who sends it; headers that may come once
    subprotocols the credential among the offers of a WebSocket
    tokens       the admin token, issued tokens
    data_directory   what is on the disk: one service at a time, closed to other users
    sign_ins     signed-in browsers: their cookies and keys
    leases       what is open no longer than its token or sign-in
    cutoff       the end of a stream whose token has become void
    guesses      wrong tokens, limited per address
    audit        what a request changed, for hub/audit
    tally        log lines for what others can repeat: one, then a count a minute
    server_log   which lines of the server below us are logged
    head         HEAD wherever there is GET
    problems     errors to problem+json and close codes: one table
    schemas      the pydantic models
    context      what the routes share
    adapters  sessions  packets  system   REST, one router per resource
    streams      the packet socket
    events       events over WebSocket and SSE
    connection   one packet client: its subscription, its injections, its control messages
    link         bytes to and from one WebSocket client, fast on our server, plain elsewhere
    unsent       packets written to a client that its kernel has not taken
    protocol     the uvicorn WebSocket protocol class behind the fast link
    contract     what all this is, as OpenAPI and AsyncAPI documents
    page         the dashboard's place, the API docs, the sign-in

REST routes contain no `try`: errors become answers in `problems` alone.
"""
