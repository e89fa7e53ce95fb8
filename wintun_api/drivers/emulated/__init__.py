"""The emulated driver: the Wintun driver's own code over a library made of Python functions.

    driver          open_emulated(): WintunDriver over EmulatedLibrary
    library         EmulatedLibrary: functions bound by abi.PROTOTYPES, events; the knobs
    adapter_calls   what the management functions do, in either generation
    session_calls   what the session functions do
    program         the program that loaded the library: handles, last error, log, misuse
    faults          failures, delays and log lines to come
    machine         the computer: devices, names, GUIDs, the driver's version; outlives a program
    state           the file that keeps persistent adapters over a restart
    link            a running session seen from the kernel: two rings
    ring            one packet ring in real memory, and the library's two ends of it
    events          Win32 events
    devices         the device manager: which devices are there, disabled, gone
    ip_helper       names, network settings and counters of the machine's devices
    network         the host's IP stack behind a link: answers echo requests and UDP
    traffic         living background traffic: when
    conversations   living background traffic: what

It is a checked build: what would corrupt memory in wintun.dll is refused and written to
`EmulatedLibrary.misuse`. It proves nothing about Windows: neither times nor calling conventions of
32-bit processes, nor the meaning of the IP Helper's structures.
"""
