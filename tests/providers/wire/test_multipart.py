import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmsim.providers.wire import multipart


def sent(data: dict[str, str], files: list[tuple[str, bytes]]) -> bytes:
    """The body a real client makes of this form."""
    named = [(name, ("a.png", content, "image/png")) for name, content in files]
    return httpx.Request("POST", "http://x", data=data, files=named).read()


@given(
    st.dictionaries(st.sampled_from(("prompt", "n", "ünï")), st.text(max_size=40)),
    st.lists(st.tuples(st.sampled_from(("image", "image[]")), st.binary(max_size=40)), min_size=1),
)
def test_what_a_client_sends_is_read(data: dict[str, str], files: list[tuple[str, bytes]]) -> None:
    form = multipart.read(sent(data, files))
    assert form is not None
    assert form.fields == data
    assert {name: [one for key, one in files if key == name] for name, _ in files} == form.files


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        b"--x",
        b"--x--\r\n",
        b'{"prompt": "x"}',
        b"--x\r\n\r\nno name\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ncut off',
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nno end\r\n--x',
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n--x--\r\n',
    ],
)
def test_anything_else_is_no_form(body: bytes) -> None:
    assert multipart.read(body) is None
