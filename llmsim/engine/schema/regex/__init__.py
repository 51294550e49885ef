"""Regular expressions: what strings they match, and whether they match one, in bounded time."""
