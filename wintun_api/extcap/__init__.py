"""Show the adapters of a service in Wireshark, as an extcap program.

    __main__    the program that Wireshark's launcher runs
    request     what Wireshark asks for, read from its arguments
    answers     answer each kind of request
    options     what a user can set for a capture: in Wireshark's dialog, and as arguments
    sentences   the lines that Wireshark reads
    interfaces  which adapters an interface of Wireshark stands for
    networks    networks of many hosts as interfaces
    service     the service that is asked, and its errors in words for Wireshark's user
    capture     write packets into Wireshark's pipe
    toolbar     the field in Wireshark's window that changes the filter meanwhile
    succession  captures with one filter after the other, as one
    departure   notice that the adapter was deleted
    stopping    what a signal does: it ends what waits, or tells an event loop to end
    parent      end with the program that started this one
    folders     where Wireshark looks for extcap programs
    launcher    the file that Wireshark runs: install it, find it, remove it
    trial       run that file as Wireshark does, to see what it lists

Wireshark runs the program once to list the interfaces and then twice for each of them. So it is
apart from the command line, which takes longer to start, and imports the client when it needs it.

Source: extcap(4) of Wireshark 4.0 to 4.6.
"""
