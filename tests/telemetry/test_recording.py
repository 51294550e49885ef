"""How recording goes, over all workers."""

import errno

from llmsim.state.shm.layout import RECORDING, RECORDING_BYTES, RECORDINGS, RECORDINGS_LOST
from llmsim.telemetry.recording import families, recording_state
from tests.telemetry.test_snapshot import counters_of


def test_nothing_is_said_where_nothing_is_recorded() -> None:
    assert recording_state(counters_of(2)) is None
    assert list(families(None)) == []


def test_workers_are_summed_and_one_that_stopped_says_why() -> None:
    one, other = made = counters_of(2)
    for counters in made:
        counters.cells[RECORDINGS], counters.cells[RECORDING_BYTES] = 3, 100
        counters.cells[RECORDING] = 1
    other.cells[RECORDINGS_LOST] = 2
    state = {"recordings": 6, "bytes": 200, "lost": 2, "workers": 2, "stopped": 0}
    assert recording_state(made) == state | {"problem": None}
    one.cells[RECORDING] = 1 + errno.ENOSPC
    stopped = state | {"stopped": 1, "problem": "No space left on device"}
    assert recording_state(made) == stopped
    samples = {one.name: one.samples[0].value for one in families(stopped)}
    assert samples["llmsim_recording_stopped"] == 1
