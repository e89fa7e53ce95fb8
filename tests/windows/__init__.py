"""Windows as far as Wine goes: the suite under a Windows interpreter, and the service on DLLs.

    __main__       everything in one command: `python -m tests.windows`
    rig            builds the rig: a Wine prefix with Windows CPython, from package registries
    wine           runs its interpreter; a service in it that Linux clients drive
    standin.c      a library with Wintun's exports, both generations, built at test time
    test_rig       what the Windows process is
    iphlpapi_standin.c   the functions of the IP Helper that Wine lacks, recording their bytes
    iphlpapi_calls       a program that calls them as the driver does
    test_iphlpapi  the structures of ctypes as a C compiler reads them
    test_standin   the service on the stand-in, driven from Linux
    test_genuine   the service on the genuine wintun.dll 0.14.1, likewise

Four results, never one: the emulated library under Wine shows less than the stand-in under Wine,
that less than the genuine library under Wine, and that less than Windows, which nobody asks here.
"""
