"""Forms with files: ``multipart/form-data`` (RFC 7578, framed as RFC 2046 section 5.1 has it)."""

from __future__ import annotations

import re

from msgspec import Struct

_NAME = re.compile(rb'^content-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"', re.I | re.M)
_FILE = re.compile(rb"^content-disposition:[^\r\n]*;\s*filename\*?=", re.I | re.M)


class MultipartForm(Struct, frozen=True):
    """The fields of a form, the last one of each name, and the files in order by name."""

    fields: dict[str, str]
    files: dict[str, list[bytes]]


def read(body: bytes) -> MultipartForm | None:
    """The form; None if the body is not a form.

    The boundary is the body's own first line: a form has no text before its first part.
    """
    delimiter, found, rest = body.partition(b"\r\n")
    if not found or not delimiter.startswith(b"--"):
        return None
    form = MultipartForm({}, {})
    parts = (b"\r\n" + rest).split(b"\r\n" + delimiter)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        return None
    for part in parts[:-1]:
        head, found, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        named = _NAME.search(head)
        if not found or named is None:
            return None
        name = named[1].decode(errors="replace")
        if _FILE.search(head):
            form.files.setdefault(name, []).append(content)
        else:
            form.fields[name] = content.decode(errors="replace")
    return form
