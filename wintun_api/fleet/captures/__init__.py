"""The captures of all hosts, over the stream of the network.

The agent of each host publishes, and a reader merges.

    capturing  bring what the service captures to the bus
    excerpt    a part of a capture as a message: a file of its own, and its place
    merging    the captures of all hosts as one file, ordered by corrected time
    reading    read it from the stream of the network
    remarks    what a reader is to know besides the file
"""
