"""What test files of other projects share."""

from __future__ import annotations

# Asks the service without the client.
ASK = """
import json, threading, urllib.request

def ask(service, path, **body):
    request = urllib.request.Request(
        service.url + path,
        headers={"Authorization": f"Bearer {service.token}", "Content-Type": "application/json"},
        data=json.dumps(body).encode() if body else None,
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        return json.loads(answer.read())

def logged(service, text):
    # The service writes its log beside its answers.
    for _ in range(3000):
        if text in service.log.text():
            return
        threading.Event().wait(0.01)
    raise AssertionError(text)
"""
