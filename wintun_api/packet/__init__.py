"""IP packets as bytes: no I/O, no state.

check      what a driver may be given
checksum   the internet checksum and its pseudo-headers
ipv6       the chain of IPv6 extension headers
decode     bytes to a frozen summary; never raises
offload    what a capture shows before the network card has finished a packet
build      small packets from a few words
"""
