"""Whether users may make namespaces here, for tests of kernel devices without rights."""

from __future__ import annotations

import pytest

from tests.drivers.linux.kernel import needs_kernel
from wintun_api.testing import rootless

_reason = rootless.why_not()

needs_namespaces = [
    *needs_kernel,
    pytest.mark.skipif(_reason is not None, reason=f"not rootless: {_reason}"),
]
