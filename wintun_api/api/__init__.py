"""The HTTP and WebSocket edge: FastAPI, pydantic, security.

    app             create the application: routes, lifespan, handlers
    server          run uvicorn with our listener and protocols; shut down in order
    listener        accepts connections
    tls             TLS that knows how many bytes the kernel has not taken
    certificate     reload the certificate when its files are renewed
    admission       how many connections there may be, and which one is closed for a new one
    http            HTTP/1.1 on one connection, within limits of size and time
    vanished        end connections of clients that vanished while data was being sent to them
    proxies         what trusted reverse proxies say about the client
    hosts           recognise the service's own names in Host and Origin
    security        Host, Origin, token, scope: one check for HTTP and WebSocket
    access          what a route needs, declared where the route is
    routes          find the route of a request once, and run only what security allows
    parameters      refuse the parameters of a query that a route does not have
    credentials     the token or cookie in a request; headers that may occur once
    subprotocols    the credential among the subprotocols that a WebSocket offers
    tokens          the admin token and issued tokens
    data_directory  files on the disk: for one service at a time, closed to other users
    sign_in_memory  what of them outlives a restart
    sign_ins        signed-in browsers: their cookies and keys
    leases          end connections when their token or sign-in ends
    connected       the open streams, and what each has delivered and lost
    cutoff          the end of a stream: its token is no longer valid, or an administrator ends it
    guesses         limit wrong tokens per address
    audit           record what a request changed, for hub/audit
    subjects        what a request was about, for its audit
    tally           log lines that clients can cause repeatedly: one, then a count per minute
    server_log      which of uvicorn's log lines are kept
    head            answer HEAD wherever GET is allowed
    large           large requests and answers, beside the event loop
    kinds           every kind of problem once, and the kind of every error
    problems        answer errors with problem+json or a close code, by their kind
    views           what the hub knows as models, and models as what the hub takes
    capture_views   the same for named captures
    impairment_views  the same for the impairment of a session
    impairment_summary  what an impairment does, in one line
    context         the objects that routes share
    system, adapters, sessions, impairment, packets, clients  REST, one router per resource
    metrics         metrics for Prometheus
    streams         the packet socket
    holders         the packet socket of an adapter, whose clients hold it
    events          events over WebSocket and as server-sent events
    live_capture    a pcapng file that grows, for one client
    capture_ways    how it gets to the client: as the answer to a request, or over WebSocket
    capture_query   its query parameters
    capture, adapter_capture  REST for the capture of a session, and of several adapters
    recorder        the last packets of a session: switch them on, read them as pcapng
    recorder_file   its pcapng, no faster than the client reads it
    captures        named captures over REST, and their files
    networks        networks of many hosts over REST, as agents report them
    inventory       these reports, in memory for half a minute
    connection      one packet client: its subscription, its injections, its control messages
    filters         compile a filter, or say what is wrong with it
    filter_change   another filter for a packet client, while packets flow
    batches         bursts as batches of v1.batch
    link            bytes to and from one WebSocket client, fast on our server, plain on others
    unsent          packets that were written to a client but not yet taken by the kernel
    protocol        the uvicorn WebSocket protocol class behind the fast link
    intake          the memory that packet clients' bytes are read into
    openapi/        the document that `/openapi.json` serves
    page            the dashboard, the API docs, the sign-in page
    static          files that are compressed once and sent with a tag
    guide           the user's guide as pages

Routes raise what went wrong; `problems` decides how it is answered.
"""
