"""Tables, and their place in a document."""

import json

import pytest

from bench.machine import Machine, cpu_model
from bench.report import Column, Report, replace_section, table

MACHINE = Machine("Z80", 1, 1.0, "Linux 6.1", "3.11.7", "2.8.7", "0.23.0", "0.1.0", "abc1234+")
COLUMNS = (Column("name", "what"), Column("rate", "req/s"), Column("cost", "µs", 2))


def test_a_table_rounds_groups_and_aligns():
    rows = [{"name": "a", "rate": 12345.6, "cost": 1.005}, {"name": "bb", "rate": 7, "cost": None}]
    assert table(COLUMNS, rows).splitlines() == [
        "| what |  req/s |   µs |",
        "| ---- | -----: | ---: |",
        "| a    | 12,346 | 1.00 |",
        "| bb   |      7 |    – |",  # noqa: RUF001
    ]


def test_a_row_without_a_columns_value_is_an_error():
    with pytest.raises(KeyError):
        table(COLUMNS, [{"name": "a"}])


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("# T\n", "# T\n\n## x\n\n<!-- bench:x -->\nnew\n<!-- /bench:x -->\n"),
        (
            "a <!-- bench:x -->old<!-- /bench:x --> b",
            "a <!-- bench:x -->\nnew\n<!-- /bench:x --> b",
        ),
    ],
)
def test_a_section_is_added_or_replaced(document, expected):
    assert replace_section(document, "x", "new\n") == expected


def test_other_sections_are_left_alone():
    other = "<!-- bench:x-y -->\nkeep\n<!-- /bench:x-y -->\n"
    assert other in replace_section(other, "x", "new")


@pytest.mark.parametrize("document", ["<!-- bench:x -->", "<!-- /bench:x --><!-- bench:x -->"])
def test_a_broken_pair_of_markers_is_an_error(document):
    with pytest.raises(ValueError, match="needs both"):
        replace_section(document, "x", "new")


def test_a_report_names_the_command_the_machine_and_the_rows(tmp_path):
    report = Report(
        "x", "python -m bench x", MACHINE, COLUMNS, [{"name": "a", "rate": 1, "cost": 2}]
    )
    document = tmp_path / "performance.md"
    document.write_text("# Performance\n")
    report.record(document)
    written = document.read_text()
    assert "`python -m bench x`" in written
    assert "Z80, 1 cores" in written
    assert "| a    |     1 | 2.00 |" in written
    assert json.loads(report.json())["rows"] == [{"name": "a", "rate": 1, "cost": 2}]


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [("processor\t: 0\nmodel name\t: Z80 @ 4 MHz: new\n", "Z80 @ 4 MHz: new"), ("", None)],
)
def test_the_processors_name(cpuinfo, expected, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: None)
    assert cpu_model(cpuinfo) == expected
