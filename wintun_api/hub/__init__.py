"""Keep track of adapters and sessions, and carry packets between a driver and many readers.

    registry       adapters by GUID, and the sessions; the one object the API talks to
    adapter_table  the adapters that are known, reconciled with what a driver lists; pure
    adapters       one adapter: its handle, its last reading, its view
    provision      an adapter of a name is created, opened or replaced, in one turn
    turns          operations on one adapter or name run one at a time, or are withdrawn
    calls          the steps of an operation that run on the driver's thread
    network        requested network settings, and which of them an adapter does not have
    alteration     one change of an adapter, all or nothing; other settings are kept
    identity       the GUID of an adapter that was created without one
    creation       retry that GUID while a deleted device still has it
    outside        changes by other programs: one reading for a burst of them
    sessions       sessions by id: who starts, joins and ends them
    session        one session's life: start, restart once, end
    burst_limit    how many packets are passed on at a time
    pump           drain a driver's session in bursts on the event loop when it is readable
    handover       pass the turn to drain between the waiting thread and the event loop
    watch          watch a session's descriptor, if it has one, with the event loop
    stamping       give the packets of a drain the times at which the driver has read them
    burst          the packets of one drain or injection, and the forms that readers share
    fanout         give bursts to the subscribers that want their direction
    subscriber     a bounded queue of bursts for one reader, with an overflow policy
    workers        a few threads for work of one kind that may block
    filters        compile filters, and let them choose packets of a burst
    marks          mark packets that were changed or rejected, while a reader asks for it
    capture/       one pcapng of the packets of sessions that come and go
    window         keep the newest bursts within a time and a number of bytes
    recorder       keep the last packets of a session
    recorders      switch the recorders of sessions, which share one limit of memory
    holds          which adapters clients hold, and when the last holder has gone; pure
    holding        hold adapters for clients, and end what no client came back to
    hold_memory    remember which adapters are deleted with their clients, across restarts
    losses         count and tell every loss, with its cause
    host_losses    find the losses that the host and the driver count themselves
    pace           limit how often losses are told
    remainder      read what is left in a ring when its session ends
    ending         end a session for its clients, and limit how long to wait for them
    injection      put clients' packets into the driver's send ring
    impairment/    delay, lose and change the packets of a session on request
    named_captures/  write packets into files, which belong to the service and survive it
    alarm          call a function at an exact time
    counters       hold what a session carried and lost
    events         numbered events, with a history and bounded subscriptions
    audit          write one log line and one event for each change
    management     driver calls: on which thread they run, how long a request waits
    late           publish the outcome of operations whose request was answered before
    threads        the driver's own threads for calls that may take seconds
    aside          work that may block, on a thread that never delays the end of the service
    pools          the pools used before, kept across restarts
    pool_memory    remember a pool before its first adapter, forget it after its last one
    tasks          asyncio tasks that have names, are kept alive and report failures

Everything here belongs to the event loop's thread unless it says otherwise.

A received packet enters these rooms, in one direction:

    1. watch, or handover with its waiting thread, notices that there are packets to read;
    2. pump drains it: the driver copies packets out of its memory (`receive_packets`);
    3. session counts and numbers them, and if fanout has readers makes one burst of them;
    4. fanout offers it to each subscriber, which lets its reader take it at once or queues it;
    5. `api.connection` takes it (`take_now`, or `wake` and `take`), asks the burst for its encoded
       form, which is made once for all clients, and passes that to the socket (`api.link`).

A call that creates an adapter enters these rooms, and the result returns through them:

    1. registry (`provide_adapter`) has the settings checked by network and asks provision, which
       waits in turns for the name, in a task of management; the request waits a limited time;
    2. pool_memory asks pools whether the pool is known, and has a new one written to the disk on a
       thread of aside;
    3. identity derives the GUID if the request named none; if adapter_table does not have it,
       creation tries it, several times if a deleted device still has it;
    4. management queues the call, and threads runs it on the driver's management thread;
    5. there calls creates the adapter in the driver and applies the settings; if one fails, the
       adapter is deleted again;
    6. back on the event loop, registry adds the adapter to adapter_table, and events publishes
       that it was created. If the request has stopped waiting, late publishes a failure.
"""
