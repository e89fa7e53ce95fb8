"""A repeatable attack on a running service: what it must stand, and what it must not keep.

    uv run python -m tests.attack                         every part, short: some minutes
    uv run python -m tests.attack --only cells,frames     some parts
    uv run python -m tests.attack --full --json found.json   the full counts, 90 minutes and more
    uv run python -m tests.attack --only fuzz --minutes 10 --seed 7
    uv run python -m tests.attack --help

The program starts `wintun-api serve` as a user does, attacks it through real sockets on loopback,
and looks at its process from outside. It needs Linux. The part `kill` also needs root and
/dev/net/tun, for it works with kernel TUN devices in a network namespace that it makes and removes;
without them the other parts still run.

    part     what it does                                              short      --full
    cells    every route, method and scope; disguised paths;           once       once
             forms of Host, Origin and Sec-Fetch; cookies alone
    smuggle  requests whose length or target reads two ways            once       once
    frames   WebSocket frames, sound and broken in 130 ways            300,000    10,000,000
    deaths   clients that die in 7 ways on 7 kinds of connections,     200        1,000
             64 at a time
    slow     silent and half connections, endless heads, pings and     some       2,000,000 pings,
             taps that do not read, aborted requests                              8,000 aborted
    fuzz     changed requests, frames, bodies, headers, files          5 s each   10 minutes each
    kill     kill -9 under load, and what must still be so after       5          100

After every part the same is checked: the service answers; its log has no traceback, no "Fatal
error" and no "Task exception was never retrieved", and grew by a bounded amount; its descriptors
and threads are as many as before; its resident memory is within 20 MiB of what it was before,
behind a warm-up of the same kind.

What does not hold is a **finding**: a line that says what was expected and what happened, the seed,
and the bytes that show it again where there are such. Findings of one kind are counted and shown
once. The exit code is 0 without a finding, 1 with one, and 2 when the program cannot run here. The
same seed gives the same bytes; what a service makes of their timing may differ.

    __main__        arguments, and which parts there are
    attack          what every part is given; findings; the checks after a part
    target          the service: started, watched, killed
    raw_http        requests as bytes, and answers read strictly
    raw_websocket   handshakes and frames as bytes
    mutations       how bytes and values are changed
    cells smuggle frames deaths slow fuzz kill    the parts, one module each
    streams codecs bodies    what `fuzz` sends: byte streams, decoders in process, JSON bodies
"""
