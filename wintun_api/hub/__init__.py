"""Keep track of adapters and sessions, and carry packets between a driver and many readers.

    registry     adapters and sessions by id; the one object the API talks to
    adapter_table  the adapters that are known, reconciled with what a driver lists; pure
    adapters     one adapter: its handle, its last reading, its view
    turns        operations on one adapter run one at a time; one that waited too long is withdrawn
    calls        the steps that run on the driver's threads
    network      requested network settings, and which of them an adapter does not have
    alteration   one change of an adapter, all or nothing; other settings are kept
    identity     the GUID of an adapter that was created without one
    creation     retry that GUID while a deleted device still has it
    outside      changes by other programs: one reading for a burst of them
    session      one session's life: start, restart once, end
    pump         drain a driver's session in bursts on the event loop when it is readable
    handover     pass the turn to drain between the waiting thread and the event loop
    watch        watch a session's descriptor, if it has one, with the event loop
    burst        the packets of one drain or injection, and the forms that readers share
    fanout       give bursts to bounded subscriber queues, each with its own overflow policy
    losses       tell every loss, with its cause, in counters, events, messages and metrics
    host_losses  find the losses that the host and the driver count themselves
    pace         limit how often losses are told
    ending       end a session for its clients, and limit how long to wait for them
    injection    put clients' packets into the driver's send ring
    counters     count what was carried
    events       numbered events, with a history and bounded subscriptions
    audit        write one log line and one event for each change
    management   driver calls: on which thread they run, how long a request waits
    late         publish the outcome of operations whose request was answered before
    threads      the driver's own threads for calls that may take seconds
    aside        work that may block, on a thread that never delays the end of the service
    pools        the pools used before, kept across restarts
    pool_memory  remember a pool before its first adapter, forget it after its last one
    tasks        asyncio tasks that have names, are kept alive and report failures

Everything here belongs to the event loop's thread unless it says otherwise.
"""
