"""The soak: its clients do what they are for, and it finds what is left."""

from bench.soak import Soak


def test_a_short_soak_leaves_nothing() -> None:
    before, *during, after = Soak(minutes=0.1, workers=2, clients=12).run()
    assert after["active"] == after["open_streams"] == 0
    assert after["descriptors"] == before["descriptors"]
    assert int(str(after["requests"])) > 50
    seen = " ".join(str(row["outcomes"]) for row in (*during, after))
    for outcome in ("200", "500", "garbled", "left early", "half a body"):
        assert outcome in seen
    assert "hangs" not in seen
