"""One page at a server, as a browser acts for it; the kernel counts what goes over the wire (Linux)."""

import json
import socket
import struct
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

# What Chromium 150 on Linux sends with every request of a page, as recorded; the host's own apart.
BROWSER = {
    "sec-ch-ua-platform": '"Linux"',
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/150.0.0.0 Safari/537.36",
    "sec-ch-ua": '"Not;A=Brand";v="8", "Chromium";v="150"',
    "sec-ch-ua-mobile": "?0",
    "Accept": "*/*",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.9",
    "Cookie": f"livemind_client={22 * 'x'}",
}
PACKET = 66  # bytes of Ethernet, IPv4 and TCP with timestamps around what a packet carries
COUNTS_AT = 120  # in the kernel's tcp_info: bytes acknowledged and received, packets sent and received


@dataclass(frozen=True)
class Wire:
    """Bytes, headers of all layers below TLS included."""

    up: int = 0  # to the server
    down: int = 0

    def __add__(self, other: "Wire") -> "Wire":
        return Wire(self.up + other.up, self.down + other.down)

    def __sub__(self, other: "Wire") -> "Wire":
        return Wire(self.up - other.up, self.down - other.down)


class Page:
    """A session of a server at `url`; with `reads` its events are read too, on a connection of their own."""

    def __init__(self, url: str, options: dict[str, Any], *, reads: bool = True) -> None:
        self._place = urlsplit(url).netloc
        self._headers = {**BROWSER, "Origin": url, "Referer": f"{url}/"}
        self._http = HTTPConnection(self._place)
        self._token: str = self._call("POST", "", {"options": options})["session"]
        self._stream = HTTPConnection(self._place)
        self._events: HTTPResponse | None = self._open() if reads else None
        self._revision = 0

    def draft(self, text: str) -> int:
        """Returns how many segments of it are finished."""
        self._revision += 1
        body = {"revision": self._revision, "text": text}
        answer = self._call("PUT", f"/{self._token}/draft", body)
        if self._events:
            self.until("segments", revision=self._revision)
        return sum(segment["finished"] for segment in answer["segments"])

    def ask(self, text: str) -> None:
        """Returns when the answer is complete."""
        self._revision += 1
        body = {"revision": self._revision, "text": text, "lanes": ["live"]}
        self._call("POST", f"/{self._token}/submit", body)
        self.until("turn", done=True)

    def clear(self) -> None:
        self._call("POST", f"/{self._token}/clear", {})
        self.until("state", phase="idle")

    def until(self, event: str, **expected: Any) -> dict[str, Any]:
        """The next event of this type that has these values."""
        assert self._events
        for line in self._events:
            if line.startswith(b"data:"):
                data: dict[str, Any] = json.loads(line[5:])
                if data["type"] == event and expected.items() <= data.items():
                    return data
        raise EOFError("the stream of events ended")

    def wire(self) -> Wire:
        """What went over both connections so far."""
        sockets = [self._http.sock, self._stream.sock]
        return sum((_counted(each) for each in sockets if each), start=Wire())

    def close(self) -> None:
        """End the session."""
        self._call("DELETE", f"/{self._token}")
        self.leave()

    def leave(self) -> None:
        """As a closed browser does: the session stays until it expires."""
        self._stream.close()
        self._http.close()

    def _open(self) -> HTTPResponse:
        headers = {**self._headers, "Accept": "text/event-stream"}
        self._stream.request("GET", f"/api/sessions/{self._token}/events", headers=headers)
        return self._stream.getresponse()

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        sent = None if body is None else json.dumps(body, separators=(",", ":"))
        headers = self._headers if sent is None else {**self._headers, "Content-Type": "application/json"}
        self._http.request(method, f"/api/sessions{path}", sent, headers)
        response = self._http.getresponse()
        received = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} was answered {response.status}")
        return json.loads(received) if received else None


def _counted(connection: socket.socket) -> Wire:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    sent, received, packets_out, packets_in = struct.unpack_from("QQII", info, COUNTS_AT)
    return Wire(sent + PACKET * packets_out, received + PACKET * packets_in)
