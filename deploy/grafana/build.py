"""Builds the dashboard: ``python deploy/grafana/build.py`` writes ``dashboards/llmsim.json``.

What it shows is in ``panels.py``; the JSON is made by Grafana's own library.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
)

sys.path.insert(0, str(Path(__file__).parent))
from panels import ROWS, Panel

TARGET = Path(__file__).parent / "dashboards" / "llmsim.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
HEIGHT = 8
# The library gives every variable what the schema has for none or for other kinds.
NOT_OF_VARIABLES = ("auto", "auto_count", "auto_min", "id")
SINGLE_HEIGHT = 4


def built() -> str:
    """The dashboard as JSON."""
    board = (
        dashboard.Dashboard("llmsim")
        .uid("llmsim")
        .description("What llmsim does: traffic, latency, lateness, errors and workers.")
        .tags(["llmsim", "llm", "load-testing"])
        .readonly()
        .refresh("5s")
        .time("now-15m", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
        .with_variable(
            dashboard.QueryVariable("instance")
            .label("Instance")
            .datasource(SOURCE)
            .query("label_values(llmsim_build_info, instance)")
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
            .multi(True)
            .include_all(True)
            .all_value(".*")
            .current(VariableOption(selected=True, text="All", value="$__all"))
        )
    )
    numbers = count(1)
    for row in ROWS:
        board.with_row(dashboard.Row(row.title).id(next(numbers)))
        for panel in row.panels:
            made = single(panel) if panel.single else series(panel)
            board.with_panel(made.id(next(numbers)))
    made = json.loads(JSONEncoder().encode(board.build()))
    del made["style"]  # Grafana's schema does not have it any more
    for variable in made["templating"]["list"]:
        for name in NOT_OF_VARIABLES:
            variable.pop(name, None)
    return json.dumps(made, sort_keys=True, indent=2) + "\n"


def single(panel: Panel) -> stat.Panel:
    """One number, and how it came about behind it."""
    made = (
        stat.Panel()
        .title(panel.title)
        .description(panel.meaning)
        .unit(panel.unit)
        .datasource(SOURCE)
        .height(SINGLE_HEIGHT)
        .span(panel.width)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(BigValueGraphMode.AREA)
        .thresholds(thresholds(panel))
    )
    for target in targets(panel):
        made.with_target(target)
    return made


def series(panel: Panel) -> timeseries.Panel:
    """Lines over time."""
    made = (
        timeseries.Panel()
        .title(panel.title)
        .description(panel.meaning)
        .unit(panel.unit)
        .datasource(SOURCE)
        .height(HEIGHT)
        .span(panel.width)
        .min(0)
        .draw_style(GraphDrawStyle.LINE)
        .line_width(1)
        .fill_opacity(25 if panel.stacked else 5)
        .stacking(
            common.StackingConfig().mode(
                StackingMode.NORMAL if panel.stacked else StackingMode.NONE
            )
        )
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .thresholds(thresholds(panel))
    )
    for target in targets(panel):
        made.with_target(target)
    return made


def targets(panel: Panel) -> list[prometheus.Dataquery]:
    """The panel's queries."""
    return [
        prometheus.Dataquery()
        .expr(query)
        .legend_format(legend)
        .ref_id(chr(ord("A") + place))
        .datasource(SOURCE)
        for place, (query, legend) in enumerate(panel.queries)
    ]


def thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    """Green, and red from where it is bad."""
    steps = [Threshold(color="green", value=None)]
    if panel.red_from is not None:
        steps.append(Threshold(color="red", value=panel.red_from))
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


if __name__ == "__main__":
    TARGET.write_text(built(), encoding="utf-8")
