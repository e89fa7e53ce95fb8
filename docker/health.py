"""The container's health check: ends with 0 when the service answers on its port."""

import os
import ssl
import urllib.request

scheme = "https" if os.environ.get("WINTUN_API_TLS_CERTIFICATE") else "http"
port = os.environ.get("WINTUN_API_PORT", "9886")
# It asks itself, and its certificate has another name than this.
context = ssl._create_unverified_context()  # noqa: S323, SLF001
url = f"{scheme}://127.0.0.1:{port}/noauth/health"
urllib.request.urlopen(url, timeout=4, context=context).close()  # noqa: S310
