"""The hub: what exists and how packets get from a driver to many readers and back.

    registry     adapters and sessions by id; the one object the API talks to
    adapters     one adapter: its handle, its last reading, its view
    network      network settings as they were asked for, and which of them are not so
    alteration   one change of an adapter, all or nothing; what it does not mention survives
    identity     the GUID of an adapter that was created without one
    creation     that GUID tried again while a device that was deleted still has it
    outside      changes by other programs: one reading for a burst of them
    session      one session's life: start, restart once, end
    pump         readiness, then drain: a driver's session to bursts on the event loop
    handover     the turn to drain, passed between the thread that waits and the event loop
    watch        a session's descriptor, where there is one, watched by the event loop
    burst        the packets of one drain or injection, and the forms that readers share
    fanout       bursts to bounded subscriber queues, each with its own overflow policy
    losses       packets that did not arrive, by cause, until they are told
    host_losses  what the host lost before it could be read, from the counters of the link
    ending       how a session ends for its clients, and how long they are waited for
    injection    packets of clients to the driver's send ring
    counters     what was carried and what was lost, by cause
    events       what happened, with ids, history and bounded subscriptions
    audit        who changed what: a log line and an event each
    management   calls into the driver: which thread, how long a request waits
    late         what failed after its request was answered
    threads      the driver's own threads for calls that may take seconds
    aside        work that may stand still, on a thread that no end of the service waits for
    pools        the pools used before, kept over a restart
    tasks        asyncio tasks that are named, kept and reported

Everything here belongs to the event loop's thread unless it says otherwise.
"""
