"""Write packets into files in the data directory: captures that belong to the service.

    captures      all captures of the service: start, list, stop, delete, and read at the start
    capture       one capture: run, rotate, stop; what it has written and what it lost
    waiting       wait for its trigger
    trigger       what begins a capture that waits
    before        the packets of the last seconds, for a capture that waits
    timetable     what is due at a time while a capture runs
    surroundings  what captures need of the service
    definition    what a capture was asked for
    view          what a capture is at one moment; also what its index file keeps
    filing        put packets into one file after the other, within the limits
    portion       how many packets of a burst fit into what is left of a file
    room          how many bytes all captures may take
    writer        the thread that writes the files of one capture
    files         where the files lie, how they are opened, read and deleted
    names         how a file is called when it is downloaded
    index         one small file for each capture says what it is, across restarts
    scan          count what the blocks of a file have
    ending        end a file that was not ended as usual
    repair        end the files of a capture that the service could not end, because it was killed

A captured packet enters these rooms in one direction: `hub.capture.gathering` has it, capture
takes it when the writer has room, filing chooses its file and has blocks made of it by
`hub.capture.file`, and writer writes them. A disk that does not keep up therefore loses packets in
the queues of the gathering, which counts them, and the next block in the file says how many.
"""
