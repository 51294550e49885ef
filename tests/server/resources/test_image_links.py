import pytest

from llmsim.core import Canvas
from llmsim.server.resources.image_links import PATH, ImageLinks

SECRET = (1 << 62) - 1
LINKS = ImageLinks(SECRET)
CANVASES = [
    Canvas(0, 16, 16),
    Canvas((1 << 48) - 1, 3840, 2160, "webp", True, 0),
    Canvas(7, 1024, 1536, "jpeg", False, 55),
]


def name(canvas: Canvas) -> str:
    return LINKS.path(canvas).removeprefix(PATH)


@pytest.mark.parametrize("canvas", CANVASES)
def test_any_worker_knows_a_picture_by_its_name(canvas: Canvas) -> None:
    assert ImageLinks(SECRET).find(name(canvas)) == canvas


@pytest.mark.parametrize("canvas", CANVASES)
def test_another_launch_knows_none_of_them(canvas: Canvas) -> None:
    assert ImageLinks(SECRET - 1).find(name(canvas)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1024x1536", "3840x2160"),
        ("000000000007", "000000000008"),
        ("-o55-", "-t55-"),
        ("-o55-", "-o5-"),
        (".jpeg", ".png"),
        (".jpeg", ""),
        (".jpeg", ".jpeg\n"),
        ("-", "/"),
    ],
)
def test_a_name_that_was_changed_names_nothing(old: str, new: str) -> None:
    told = name(CANVASES[2])
    assert old in told
    assert LINKS.find(told.replace(old, new)) is None
