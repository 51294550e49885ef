"""What the journal knows of a request beyond its record, and how it is asked.

``recorder`` collects the details of some requests while they are answered, and ``frame_times``
those of their frames. ``request_filter`` says which requests are meant, ``window`` has figures
from one moment on.
"""
