"""The API of the service of another host, over the bus.

Nothing is answered unless the agent's own host allows it.

    dialogue   what is asked and answered
    allowance  which operations may be asked for
    remote     answer requests, as an agent does
    reaching   send them, as a client does
"""
