"""Provide an emulated driver: the Wintun driver's own code with a library in Python.

    driver          open_emulated(): WintunDriver over EmulatedLibrary
    library         EmulatedLibrary: functions bound by abi.PROTOTYPES, events
    controls        its controls: planned failures, and what the machine does by itself
    adapter_calls   what the management functions do, in either generation
    session_calls   what the session functions do
    program         the program that loaded the library: handles, last error, log, misuse
    faults          planned failures, delays and log lines
    machine         the computer: devices, names, GUIDs, the driver's version; outlives a program
    state           the file that keeps persistent adapters across restarts
    link            the kernel's side of a running session: two rings
    ring            one packet ring in real memory, and the library's two ends of it
    events          Win32 events
    devices         the device manager: which devices are there, disabled, gone
    ip_helper       names, network settings and counters of the machine's devices
    network         the hosts behind a link: they answer ping, and echo over UDP and TCP
    traffic         the times of background traffic
    message         what an IP packet carries, checked
    numbering       hops and identifications of what one end sends
    segment         TCP segments and their numbers
    reassembly      data of TCP segments in order again
    connection      one TCP connection that echoes
    echo            the echo service: its connections, and resets for all other ports
    conversations   the packets of background traffic that nothing answers
    dialogues       the host's side of traffic that peers answer
    peers           what these peers answer, and after how long
    scenery         names, addresses and messages of both

It works like a checked build: calls that would corrupt memory in wintun.dll are refused and
recorded in `EmulatedLibrary.misuse`. It proves nothing about Windows: neither timing, nor the
calling conventions of 32-bit processes, nor the meaning of the IP Helper's structures.
"""
