"""The pydantic models: what travels as JSON between the service and its clients.

    model      what all models share
    network    addresses, routes and DNS
    selection  the values that select packets
    contradiction  how a request is refused whose members contradict one another
    adapters, sessions, impairment, filters, recorder, captures  by resource
    networks   networks of many hosts, as agents report them
    system, tokens, clients, events  likewise
    control    what a packet socket says beside packets
    problem    an error as a document

A client can import them without the rest of the package: they know `choices`, `limits`, `paste` and
`errors` only. `api/views` makes them from what the hub knows.
"""
