"""Capture files as bytes: no I/O, no state of the service.

pcapng     encode packets as pcapng, a burst at a time
reader     read pcap and pcapng, as they come
links      cut what a link layer puts before an IP packet
"""
