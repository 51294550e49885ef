/** The page: what comes in goes to the panels. */

import { charts } from "./charts.js";
import { html, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { rate } from "./format.js";
import { History } from "./history.js";
import { panels } from "./panels.js";
import { Requests } from "./requests.js";
import { Sample } from "./sample.js";
import { theme } from "./theme.js";

/** @type {Record<import("./feed.js").State, string>} */
const STATES = {
  connecting: "connecting",
  live: "live",
  lost: "connection lost, retrying",
  token: "token required",
};

const history = new History();
const chartViews = charts(html("charts"));
const show = panels();
const requests = new Requests();
new Sample();
theme(() => chartViews.repaint());

const feed = new Feed(
  (stats) => {
    if (!history.add(stats, Date.now() / 1000)) return;
    show(stats, history.latest);
    chartViews.show(history);
    document.title = `${rate(history.latest.requests)} requests/s – llmsim`;
    void requests.refresh();
  },
  (state) => {
    const pill = html("connection");
    pill.dataset.state = state;
    setText(pill, STATES[state]);
    html("token-button").hidden = state !== "token";
    if (state === "lost" || state === "token") document.title = `${STATES[state]} – llmsim`;
  },
);
html("token-button").addEventListener("click", () => feed.retry());
void feed.run();
