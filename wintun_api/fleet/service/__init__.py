"""The local service, as its agent sees it.

An agent is a client of it, as any other program is.

    attachment  the adapter there, and how it is found again
    changes     wait until it has an adapter or a session
"""
