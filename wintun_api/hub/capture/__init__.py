"""Make one pcapng of the packets of sessions that come and go.

    selection   which adapters a capture has
    gathering   subscribe to their sessions, and take the packets of all in the order of time
    intake      the queue of one session, which is one of the session's clients
    source      what a capture knows of one session
    file        the blocks of a file that has an interface for each session

Live captures and named captures share it. Everything here belongs to the event loop's thread.
"""
