"""Real traffic through a real service: kernel TUN devices, ping, iperf3, files.

Everything happens in network namespaces that a test makes and that vanish with it.
"""
