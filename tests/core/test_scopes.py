"""Names of scopes, and paths that begin with one."""

import pytest

from llmsim.core.scopes import is_scope_name, label, name_of, split_path


@pytest.mark.parametrize("name", ["a", "gw0", "A-b_c.d", "..", "x" * 64])
def test_names(name: str) -> None:
    assert is_scope_name(name)
    assert name_of(label(name, 17)) == name


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a@1", "ä", "a\n", "x" * 65])
def test_what_is_no_name(name: str) -> None:
    assert not is_scope_name(name)


@pytest.mark.parametrize(
    ("path", "scope", "within"),
    [
        ("/scope/a/v1/chat/completions", "a", "/v1/chat/completions"),
        ("/scope/a/", "a", "/"),
        ("/scope/a", "a", "/"),
        ("/scope/a/scope/b/v1", "a", "/scope/b/v1"),
        ("/scope//v1", "", "/scope//v1"),
        ("/scope/a b/v1", "", "/scope/a b/v1"),
        ("/v1/scope/a", "", "/v1/scope/a"),
    ],
)
def test_a_path_begins_with_a_scope(path: str, scope: str, within: str) -> None:
    assert split_path(path) == (scope, within)
