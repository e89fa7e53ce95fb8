"""What `wintun-api join` runs: one adapter in one network.

It has what the other rooms do run side by side, and tells each what concerns it.

    order       what an agent is told to do, and how often
    exchange    both directions of packets, and what they decide by
    confirming  tell other hosts what became of their packets
    presence    this host among the others: its card, its life, its claims
    reporting   report the network to the service of this host, for its dashboard
    rivals      other agents at the same adapter
    sentences   what is said when something has changed
    agent       all of it for one network
"""
