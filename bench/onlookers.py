"""Those who look on while a server works: open dashboards, and a Prometheus that scrapes it."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

SCRAPE_EVERY = 1.0


@contextmanager
def looking_on(port: int, dashboards: int) -> Iterator[list[int]]:
    """So many pages' event streams are read meanwhile, and ``/metrics`` once a second; nobody
    looks on for none. Gives the bytes each has read so far, the scraper's last."""
    read = [0] * (dashboards + 1 if dashboards else 0)
    ended = threading.Event()
    with ExitStack() as last:
        threads = []
        for number in range(dashboards):
            page = last.enter_context(_page(port))
            threads.append(threading.Thread(target=_follow, args=(page, read, number)))
            last.callback(page.shutdown, socket.SHUT_RDWR)
        if dashboards:
            threads.append(threading.Thread(target=_scrape, args=(port, read, ended)))
        for thread in threads:
            thread.start()
        try:
            yield read
        finally:
            ended.set()
            last.close()
            for thread in threads:
                thread.join()


def _page(port: int) -> socket.socket:
    page = socket.create_connection(("127.0.0.1", port))
    page.sendall(b"GET /llmsim/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    return page


def _follow(page: socket.socket, read: list[int], number: int) -> None:
    try:
        while piece := page.recv(1 << 16):
            read[number] += len(piece)
    except OSError:  # closed while it was waited for
        pass


def _scrape(port: int, read: list[int], ended: threading.Event) -> None:
    while not ended.wait(SCRAPE_EVERY):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics")
        read[-1] += len(connection.getresponse().read())
        connection.close()
