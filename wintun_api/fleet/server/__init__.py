"""A nats-server of one's own: `wintun-api bus` and `wintun-api join keys`.

    program         find nats-server on this machine, and ask for its version
    plan            what the server is to be: networks, users, bounds, where it listens
    configuration   the plan as nats-server reads it
    certificates    a certificate authority of one's own, for a server beyond loopback
    laboratory      the data directory: the plan and all that is made of it
    administration  what is asked of a running server: buckets, streams, a new configuration
    log             the lines of nats-server that concern its user
    running         run the server as a child until a signal
    issuing         make the key of a host, an operator or a reader

A change is made in the plan; the configuration and what the server does follow from it.
"""
