"""Filters in the language of libpcap: compile them once, and run them over packets.

    binding      load the libpcap that a package carries
    program      a compiled filter, as instructions of BPF
    compiler     compile a filter with libpcap itself
    names        find the names in a filter that libpcap looks up
    fault        find where a filter is wrong
    matcher      choose the fastest way to run one: the extension, or Python
    interpreter  run a program in Python

Sources: pcap-filter(7), pcap_compile(3PCAP), and "The BSD Packet Filter" (McCanne, Jacobson 1993).
"""
