"""Check, decode and build IP packets as bytes, without I/O and without state.

    check     the check of every packet before a driver gets it
    block     many packets in one piece of memory
    stamps    when each of many packets was read
    checksum  the internet checksum and its pseudo-headers
    ipv6      the chain of IPv6 extension headers
    decode    bytes to a frozen summary; never raises
    segments  split super-packets into packets, and join segments to super-packets
    offload   complete a packet that was captured before the network card finished it
    build     small packets from a few words

The service uses only `check` and `block` for every packet.
"""
