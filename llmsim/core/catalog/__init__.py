"""The catalogue: which models there are (``models``), and how fast they are (``profiles``, in
terms of ``distribution``)."""
