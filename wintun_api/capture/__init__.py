"""Encode and decode capture files as bytes, without I/O and without state of the service.

    filters/    packets chosen by expressions of libpcap
    history     put what recorders have before a live capture
    pcapng      encode packets as pcapng, a burst at a time
    tally       count what a file has, to end it where it breaks off
    reader/     read pcap and pcapng from chunks of any size
    links       remove the link-layer header before an IP packet
    link_names  the names of all link-layer header types

The callers read and write the files themselves.
"""
