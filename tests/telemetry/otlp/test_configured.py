"""Who configures no spans pays nothing for them."""

import subprocess
import sys

import pytest

from llmsim.config.settings import OTLPSettings
from llmsim.state.shm.journal import Journal, size
from llmsim.telemetry.otlp import configured
from tests.telemetry.test_snapshot import counters_of

PROGRAM = """
import sys
from llmsim.config import Config
from llmsim.config.settings import OTLPSettings, TelemetrySettings
from llmsim.server import launch
assert not [one for one in sys.modules if one.startswith("opentelemetry")]
sys.modules["opentelemetry"] = None
launch._spans(Config())
try:
    launch._spans(Config(telemetry=TelemetrySettings(OTLPSettings("http://a:4318"))))
except launch.CannotStart as error:
    print(error)
"""


@pytest.mark.parametrize("settings", [OTLPSettings(), OTLPSettings("http://a:4318", 0.0)])
def test_nobody_wants_them(settings: OTLPSettings) -> None:
    journal = Journal(memoryview(bytearray(size(1 << 20))), 0, 7)
    assert configured.request_spans(settings, journal, counters_of(1)[0]) is None


def test_nothing_is_imported_and_without_the_extra_nothing_starts() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, timeout=60, capture_output=True, text=True
    )
    assert ended.stdout.startswith("telemetry.otlp: opentelemetry")
    assert ended.stdout.endswith(" is not installed: pip install 'llmsim[otel]'\n")
