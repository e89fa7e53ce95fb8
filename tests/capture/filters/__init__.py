"""Filters of libpcap: compiled, run in C and in Python, and compared with tcpdump."""
