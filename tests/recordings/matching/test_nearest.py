"""How requests differ."""

from llmsim.recordings.matching.nearest import Difference, differences, nearest


def test_equal_requests_do_not_differ() -> None:
    assert not list(differences({"model": "m", "messages": [1]}, {"messages": [1], "model": "m"}))


def test_each_place_is_named() -> None:
    recorded = {"model": "m", "messages": [{"content": "a"}, {"content": "b"}], "tools": []}
    asked = {"model": "n", "messages": [{"content": "a"}]}
    assert list(differences(recorded, asked)) == [
        Difference("model", "m", "n"),
        Difference("messages[1]", {"content": "b"}, None),
        Difference("tools", [], None),
    ]


def test_a_difference_reads_well() -> None:
    assert str(Difference("messages[1].content", "a", None)) == (
        "messages[1].content: recorded 'a', asked nothing"
    )
    assert len(str(Difference("x", "a" * 500, "b" * 500))) < 160


def test_the_nearest_differs_in_the_fewest_places_and_then_the_least() -> None:
    asked = {"model": "m", "messages": ["What is the weather in Paris?"]}
    recorded = [
        ("far", {"model": "n", "messages": ["What is the weather in Paris?", "x"]}),
        ("other", {"model": "m", "messages": ["Tell me a story."]}),
        ("near", {"model": "m", "messages": ["What is the weather in Rome?"]}),
    ]
    found = nearest(asked, recorded)
    assert found is not None
    assert found.id == "near"
    assert [one.path for one in found.differences] == ["messages[0]"]
    assert nearest(asked, []) is None
