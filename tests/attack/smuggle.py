"""Requests that two readers may read differently: lengths, targets, and what is between them.

A case sends one request whose body, by one of the two readings, is a second request. A finding is a
second answer where RFC 9112 allows one reading only, or a refusal where it allows no other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from tests.attack.attack import Attack
from tests.attack.raw_http import Answers, Malformed, connect
from tests.attack.target import Target

PART = "smuggle"
PATIENCE = 8.0


@dataclass(frozen=True, slots=True)
class Case:
    """One connection's bytes.

    Attributes:
        name: What is odd about them.
        sent: All of them; the client then ends its side.
        first: Statuses that are right for the first answer.
        answers: How many answers at most.
        source: Where that is said.
    """

    name: str
    sent: bytes
    first: frozenset[int]
    answers: int
    source: str


def run(attack: Attack) -> None:
    """Send every case, in one piece and cut into single bytes around its oddity."""
    with attack.target(PART) as target:
        with attack.watch(PART, target, "smuggling", warm_up=lambda: _try_all(None, target)):
            began = time.monotonic()
            tried = _try_all(attack, target)
        attack.figure(PART, cases=tried, per_second=round(tried / (time.monotonic() - began)))


def _try_all(attack: Attack | None, target: Target) -> int:
    tried = 0
    for case in cases(target.authority, target.admin):
        for cut in (0, len(case.sent) // 2, len(case.sent) - 3):
            tried += 1
            _try(attack, target, case, cut)
    return tried


def _try(attack: Attack | None, target: Target, case: Case, cut: int) -> None:
    with connect(target.port, PATIENCE) as connection:
        try:
            for piece in (case.sent[:cut], case.sent[cut:]):
                if piece:
                    connection.sendall(piece)
            connection.shutdown(1)
            found = Answers(connection).all()
        except TimeoutError:
            found = None
        except OSError:  # refused and reset while this side was still writing
            found = []
        except Malformed as error:
            if attack:
                attack.found(PART, f"a malformed answer to {case.name}", str(error), case.sent)
            return
    if attack is None:
        return
    if found is None:
        attack.found(PART, f"neither an answer nor an end: {case.name}", case.source, case.sent)
    elif len(found) > case.answers:
        statuses = [answer.status for answer in found]
        attack.found(PART, f"a second request got in: {case.name}", f"{statuses}; {case.source}",
                     case.sent)  # fmt: skip
    elif found and found[0].status not in case.first:
        attack.found(
            PART,
            f"{found[0].status} instead of {sorted(case.first)}: {case.name}",
            f"{found[0].body[:200]!r}; {case.source}",
            case.sent,
        )
    elif not found and 200 in case.first and 400 not in case.first:
        attack.found(PART, f"no answer: {case.name}", case.source, case.sent)


def cases(authority: str, token: str) -> Iterator[Case]:
    """Yield all cases."""
    host = f"Host: {authority}\r\nAuthorization: Bearer {token}\r\n"
    json = host + "Content-Type: application/json\r\n"
    inner = f"GET /v1/tokens HTTP/1.1\r\n{host}\r\n".encode()
    chunked = b"%x\r\n%s\r\n0\r\n\r\n"
    # POST to an address without a POST: any refusal will do, the framing is what counts.
    refused = frozenset({400, 401, 403, 404, 405, 411, 413, 415, 422, 431, 501})
    body = b'{"scopes":["metrics"],"expires_in":5}'
    whole = chunked % (len(body), body)

    def post(headers: str, content: bytes, start: str = "POST /v1/tokens HTTP/1.1\r\n") -> bytes:
        return f"{start}{json}{headers}\r\n".encode("latin-1") + content

    bad = frozenset({400, 411, 413, 422, 431, 501})
    length = f"Content-Length: {len(body)}"
    # What must be read, and how
    made = frozenset({201})
    for name, headers, content in (
        ("a blank behind Content-Length", f"{length} \r\n", body),
        ("a tab before Content-Length", f"Content-Length:\t{len(body)}\r\n", body),
        ("tabs around Content-Length", f"Content-Length: \t {len(body)} \t \r\n", body),
        ("leading zeros in Content-Length", f"Content-Length: 000{len(body)}\r\n", body),
        ("chunks", "Transfer-Encoding: chunked\r\n", whole),
        ("Chunked", "Transfer-Encoding: Chunked\r\n", whole),
        ("chunks, OWS", "Transfer-Encoding: \tchunked \r\n", whole),
        ("trailers", "Transfer-Encoding: chunked\r\n", whole[:-2] + b"X-Checksum: 1\r\n\r\n"),
        ("trailers with a name", "Transfer-Encoding: chunked\r\nTrailer: X\r\n",
         whole[:-2] + b"X: 1\r\nY: 2\r\n\r\n"),
        ("a trailer Authorization", "Transfer-Encoding: chunked\r\n",
         whole[:-2] + b"Authorization: Bearer x\r\n\r\n"),
        ("a trailer Host", "Transfer-Encoding: chunked\r\n",
         whole[:-2] + b"Host: evil.example\r\n\r\n"),
        ("a trailer Origin", "Transfer-Encoding: chunked\r\n",
         whole[:-2] + b"Origin: http://evil.example\r\n\r\n"),
        ("a chunk extension", "Transfer-Encoding: chunked\r\n",
         b"%x;a=b;c=\"d\"\r\n%s\r\n0;e\r\n\r\n" % (len(body), body)),
        ("upper and lower hexadecimal", "Transfer-Encoding: chunked\r\n",
         b"%X\r\n%s\r\n000\r\n\r\n" % (len(body), body)),
        ("a chunk per byte", "Transfer-Encoding: chunked\r\n",
         b"".join(b"1\r\n%c\r\n" % one for one in body) + b"0\r\n\r\n"),
        ("Upgrade: h2c", f"{length}\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n", body),
        ("an unknown header", f"{length}\r\nX-Anything: \xe4\xff\r\n", body),
        ("Expect", f"{length}\r\nExpect: 100-continue\r\n", body),
    ):  # fmt: skip
        yield Case(name, post(headers, content), made, 2, "RFC 9110, 5.5 and 8.6; RFC 9112, 7.1")
        yield Case(f"{name}, then another request", post(headers, content) + inner, made, 3,
                   "RFC 9112, 9.3.2")  # fmt: skip
    for name, trailer in (
        ("Content-Length", b"Content-Length: 5"),
        ("Transfer-Encoding", b"Transfer-Encoding: chunked"),
    ):  # fmt: skip
        sent = post("Transfer-Encoding: chunked\r\n", whole[:-2] + trailer + b"\r\n\r\n")
        yield Case(f"a trailer {name}", sent, made | bad, 1, "RFC 9110, 6.5.1: it may be refused")
    late = whole[:-2] + f"Authorization: Bearer {token}\r\n\r\n".encode()
    bare = json.replace(f"Authorization: Bearer {token}\r\n", "")
    start = f"POST /v1/tokens HTTP/1.1\r\n{bare}Transfer-Encoding: chunked\r\n\r\n".encode()
    yield Case("a token in a trailer", start + late, frozenset({400, 401}), 1, "RFC 9110, 6.5.1")
    # A length that cannot be believed
    for name, headers in (
        ("two different lengths", "Content-Length: 0\r\nContent-Length: {n}\r\n"),
        ("two different lengths, the other way", "Content-Length: {n}\r\nContent-Length: 0\r\n"),
        ("a list of different lengths", "Content-Length: 0, {n}\r\n"),
        ("a plus", "Content-Length: +0\r\n"), ("a minus", "Content-Length: -1\r\n"),
        ("minus zero", "Content-Length: -0\r\n"), ("hexadecimal", "Content-Length: 0x0\r\n"),
        ("a fraction", "Content-Length: 0.0\r\n"), ("an exponent", "Content-Length: 0e1\r\n"),
        ("an empty length", "Content-Length:\r\n"), ("a word", "Content-Length: zero\r\n"),
        ("two numbers", "Content-Length: 0 {n}\r\n"), ("a sign behind", "Content-Length: 0;\r\n"),
        ("other digits", "Content-Length: \xb2\r\n"),
        ("an underscore", "Content-Length: 0_0\r\n"),
        ("more than 64 bits", "Content-Length: 18446744073709551616\r\n"),
        ("a quoted length", 'Content-Length: "0"\r\n'),
    ):  # fmt: skip
        text = headers.format(n=len(inner))
        yield Case(name, post(text, inner), bad, 1, "RFC 9112, 6.3, rule 5")
    # Both lengths: chunks win or the request is refused; the connection ends either way
    for name, headers in (
        ("a length and chunks", "Content-Length: {n}\r\nTransfer-Encoding: chunked\r\n"),
        ("chunks and a length", "Transfer-Encoding: chunked\r\nContent-Length: {n}\r\n"),
    ):
        text = headers.format(n=len(whole) + len(inner))
        yield Case(name, post(text, whole + inner), bad | made, 1, "RFC 9112, 6.3, rule 3")
    # An encoding that is not understood, or hides
    for name, line in (
        ("chunked, then identity", "Transfer-Encoding: chunked, identity"),
        ("identity", "Transfer-Encoding: identity"), ("xchunked", "Transfer-Encoding: xchunked"),
        ("gzip", "Transfer-Encoding: gzip"),
        ("chunked twice", "Transfer-Encoding: chunked, chunked"),
        ("an encoding in quotes", 'Transfer-Encoding: "chunked"'),
        ("chunked with a parameter", "Transfer-Encoding: chunked;q=1"),
        ("a vertical tab", "Transfer-Encoding: \x0bchunked"),
        ("an empty encoding", "Transfer-Encoding: "),
        ("two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
        ("two lines, the other way", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"),
        ("a blank before the colon", "Transfer-Encoding : chunked"),
        ("a tab before the colon", "Transfer-Encoding\t: chunked"),
        ("a folded line", "Transfer-Encoding:\r\n chunked"),
        ("a folded header before it", "X: y\r\n Transfer-Encoding: chunked"),
        ("NUL in the name", "Transfer\x00-Encoding: chunked"),
        ("an underscore", "Transfer_Encoding: chunked"),
        ("NUL behind", "Transfer-Encoding: chunked\x00"),
        ("a bare CR", "X: y\rTransfer-Encoding: chunked"),
        ("a bare CR in the value", "X: y\rz"), ("NUL in a value", "X: y\x00z"),
    ):  # fmt: skip
        odd = "underscore" in name or "folded header" in name
        text = f"{line}\r\nContent-Length: {len(inner)}\r\n"
        first = bad | made | {400} if odd else bad | made
        yield Case(f"{name}, with a length", post(text, inner), first, 1, "RFC 9112, 6.1")
        if "chunked" in line and not odd and "CR" not in name:
            content = chunked % (len(inner), inner)
            yield Case(f"{name}, with chunks", post(f"{line}\r\n", content), bad | made, 1,
                       "RFC 9112, 6.1 and 6.3")  # fmt: skip
    # Chunks that lie
    for name, content in (
        ("a sign", b"+%x\r\n%s\r\n0\r\n\r\n"), ("0x", b"0x%x\r\n%s\r\n0\r\n\r\n"),
        ("a minus", b"-%x\r\n%s\r\n0\r\n\r\n"), ("a blank first", b" %x\r\n%s\r\n0\r\n\r\n"),
        ("no digits", b"\r\n%.0x%s\r\n0\r\n\r\n"), ("an underscore", b"_%x\r\n%s\r\n0\r\n\r\n"),
        ("no end of the chunk", b"%x\r\n%s0\r\n\r\n"), ("junk at its end", b"%x\r\n%sXX0\r\n\r\n"),
        ("more than 64 bits", b"1000000000000000%x\r\n%s\r\n0\r\n\r\n"),
        ("a bare CR", b"%x\rX%s\r\n0\r\n\r\n"),
        ("NUL in the extension", b"%x;\x00\r\n%s\r\n0\r\n\r\n"),
    ):  # fmt: skip
        text = "Transfer-Encoding: chunked\r\n"
        sent = post(text, content % (len(inner), inner)) + inner
        yield Case(f"a chunk size with {name}", sent, bad, 1, "RFC 9112, 7.1")
    # Lines
    for name, line in (
        ("two blanks", "POST  /v1/tokens HTTP/1.1\r\n"), ("a tab", "POST\t/v1/tokens HTTP/1.1\r\n"),
        ("HTTP/1.2", "POST /v1/tokens HTTP/1.2\r\n"), ("HTTP/2.0", "POST /v1/tokens HTTP/2.0\r\n"),
        ("HTTP/11", "POST /v1/tokens HTTP/11\r\n"), ("http/1.1", "POST /v1/tokens http/1.1\r\n"),
        ("no version", "POST /v1/tokens\r\n"), ("a blank behind", "POST /v1/tokens HTTP/1.1 \r\n"),
        ("HTTP/0.9", "GET /v1/tokens\r\n"), ("HTTP/3.0", "GET / HTTP/3.0\r\n"),
        ("a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("TLS", "\x16\x03\x01\x02\x00\x01"),
        ("a method of 70 kB", "A" * 70_000 + " / HTTP/1.1\r\n"), ("NUL", "GET /\x00 HTTP/1.1\r\n"),
        ("NUL first", "\x00GET / HTTP/1.1\r\n"),
        ("CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\n"),
        ("SOCKS", "\x05\x01\x00"), ("SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
        ("blank first", " GET / HTTP/1.1\r\n"),
        ("a folded first header", "POST /v1/tokens HTTP/1.1\r\n X: y\r\n"),
    ):  # fmt: skip
        first = frozenset({400, 401, 403, 404, 405, 414, 426, 431, 501, 505, 200}) | made
        yield Case(f"a request line with {name}", post(f"{length}\r\n", body, line), first, 3,
                   "RFC 9112, 3")  # fmt: skip
    for name, line in (
        ("no colon", "garbage"), ("an empty name", ": x"), ("a blank in the name", "a b: c"),
        ("a bracket in the name", "a(b): c"), ("a non-ASCII name", "\xe4: c"),
        ("only a colon", ":"),
    ):  # fmt: skip
        sent = post(f"{line}\r\n{length}\r\n", body)
        yield Case(f"a header line with {name}", sent, refused, 1, "RFC 9112, 5.1")
