"""Encode and decode capture files as bytes, without I/O and without state of the service.

    pcapng  encode packets as pcapng, a burst at a time
    reader  read pcap and pcapng from chunks of any size
    links   remove the link-layer header before an IP packet

The callers read and write the files themselves.
"""
