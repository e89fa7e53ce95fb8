"""Error numbers of Windows, and how a number that it returned is read."""

from __future__ import annotations

from typing import Self

from wintun_api.errors import carried_code

# winerror.h
ERROR_SUCCESS = 0
ERROR_FILE_NOT_FOUND = 2
ERROR_PATH_NOT_FOUND = 3
ERROR_TOO_MANY_OPEN_FILES = 4
ERROR_ACCESS_DENIED = 5
ERROR_INVALID_HANDLE = 6
ERROR_INVALID_DATA = 13
ERROR_WRITE_PROTECT = 19
ERROR_WRITE_FAULT = 29
ERROR_HANDLE_EOF = 38
ERROR_NOT_SUPPORTED = 50
ERROR_DUP_NAME = 52
ERROR_INVALID_PARAMETER = 87
ERROR_BUFFER_OVERFLOW = 111
ERROR_DISK_FULL = 112
ERROR_ALREADY_EXISTS = 183
ERROR_FILE_TOO_LARGE = 223
ERROR_NO_MORE_ITEMS = 259
ERROR_DIRECTORY = 267
ERROR_VERSION_PARSE_ERROR = 777
ERROR_IO_DEVICE = 1117
ERROR_NOT_FOUND = 1168
ERROR_BAD_DEVICE = 1200
ERROR_ALREADY_INITIALIZED = 1247
ERROR_DEVICE_NOT_AVAILABLE = 4319
ERROR_OBJECT_ALREADY_EXISTS = 5010
ERROR_INF_IN_USE_BY_DEVICES = 0xE000023D
INFINITE = 0xFFFFFFFF
WAIT_FAILED = 0xFFFFFFFF


class ReturnedCode(int):
    """Hold an error number from Windows; it compares as the Win32 code that it carries.

    Attributes:
        returned: The original number, unsigned.
    """

    returned: int

    def __new__(cls, returned: int) -> Self:
        """Accept the original number, signed or not."""
        code = super().__new__(cls, carried_code(returned))
        code.returned = returned & 0xFFFFFFFF
        return code
