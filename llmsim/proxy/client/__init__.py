"""An HTTP client that hands over each piece of an answer in the turn of the loop in which it came.

Parsing is httptools' (HTTP/1.1) and h2's (HTTP/2, where a service's TLS offers it). Clients that do
all of it put tasks and locks between a socket and who reads an answer: with httpx, a frame came
1.5 ms later where fifty streams were open. Read :mod:`~llmsim.proxy.client.response` first, then
:mod:`~llmsim.proxy.client.http1`, :mod:`~llmsim.proxy.client.http2`,
:mod:`~llmsim.proxy.client.pool`.
"""
