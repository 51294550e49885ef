"""OpenAI's responses: ``POST /v1/responses``, over HTTP and over a WebSocket.

Read in this order: ``params`` (the request), with ``inputs`` and ``tools`` for the larger of its
parameters, ``conversion`` (the request in neutral terms), ``codec`` (the answer), with
``response_object`` (the response in each of its states), ``items`` (its output) and ``events``
(the stream). ``strict`` has the checks of strict validation, ``stored`` the responses that are
kept, ``encrypted_content`` the content that clients send back unread, ``socket_messages`` what
only a WebSocket has.
"""
