"""The benchmark: what the data plane carries, beside what the machine could.

    uv run --extra speed python -m tests.bench              everything, 40 minutes
    uv run --extra speed python -m tests.bench --short      all parts at their smallest, a minute
    uv run --extra speed python -m tests.bench --only receive,inject --rounds 7 --json result.json
    uv run --extra speed python -m tests.bench --installed /opt/venv/bin/python --strict
    uv run --extra speed python -m tests.bench --help

It needs Linux, root, /dev/net/tun, gcc and iproute2, for `tcp` also iperf3, and says what is
missing. Everything runs in a network namespace that is made for it and removed; the C programs
under `c/` are built into a temporary directory. The service is started as a user starts it.

The contender has one core, load and client the others, alike for every contender; `--no-pin` lets
the kernel choose.

How to read it: machines are shared and noisy, so no figure by itself is a claim. The contenders of
a case take turns (A B C A B C ...) in one run; a table shows the median of the rounds with the
least and the greatest in brackets, and the **ratio** to another contender, formed round by round
between neighbours. The CPU seconds per million packets are of the contender's process alone and the
least noisy. `core %` is how busy it was: where that is far below 100, something else was the limit,
such as other programs of the machine; a measurement that they disturb is made three times. Then
`CPU / C relay` still holds: its reciprocal is the ratio that a core of its own would give.

Targets stand beside ratios as information, and the last table lists them all; only `--strict` makes
them a gate. For the service in Python alone they say that nothing got slower: `(was X)`.

The contenders:

    wintun-api      the service in Python alone, one process, v1.raw and v1.batch
    with extension  the same with its C extension, which is left out where it was not built
    ..., offload    either with the setting offload, for TCP; else it is off, as --offload says
    C relay         c/relay.c: the least that must be done for one client, in either framing
    ..., offload    the same where the device moves whole segments (c/segments.h), for TCP
    hand-written    relay.py: what one writes with the websockets library, a frame per packet
    --peer          any program that joins a TUN device to a WebSocket, a frame per packet

    __main__        arguments, and which parts there are
    receive inject client latency fanout recorder sessions rest memory filters wintun tcp
    fleet fleet_scale: the parts
    hosts           two namespaces, for tcp and fleet; swarm: many agents, for fleet_scale
    python_client   the program on wintun_api.client that `client` puts beside drain.c and inject.c
    comparison      what receive and inject have in common; streaming: fanout and sessions
    contenders      what is measured, started and stopped
    installation    which wintun-api: the checkout's or another one, and what it has
    loads           packets that stream while something else is measured: for rest and stacks
    stacks          where the time goes (--profile), with perf and py-spy
    disturbance     measuring again where other programs had much of the machine
    programs        the C programs: built, started, read
    machine         what is needed; processes, devices and their counters
    rounds          turns, medians, spreads, ratios, targets
    tables          what is printed
"""
