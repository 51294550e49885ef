/** The page: what comes in goes to the panels. */

import { charts } from "./charts/charts.js";
import { html, setText } from "./dom.js";
import { Feed } from "./feed.js";
import { rate } from "./format.js";
import { History } from "./charts/history.js";
import { panels } from "./panels.js";
import { past } from "./charts/past.js";
import { Requests } from "./requests.js";
import { Sample } from "./sample.js";
import { sections, Settings } from "./settings.js";
import { SpanView } from "./charts/span.js";
import { theme } from "./theme.js";
import { WindowsView } from "./windows.js";

/** @type {Record<import("./feed.js").State, string>} */
const STATES = {
  connecting: "connecting",
  live: "live",
  lost: "connection lost, retrying",
  token: "token required",
};

const REMEMBERED = 310; // seconds that are asked for when the page is opened

const SETTLED = 12_000; // ms after which what comes live lacks nothing of the last seconds any more

const history = new History();
const chartViews = charts(html("charts"), (since, until) => span.zoom(since, until));
const span = new SpanView(history, (shown) => chartViews.show(shown));
const show = panels();
const requests = new Requests();
new Sample();
sections();
const settings = new Settings();
const windows = new WindowsView();
theme(() => chartViews.repaint());

/** Have the charts show what happened while nobody looked. */
async function fill() {
  const now = Date.now() / 1000;
  try {
    history.fill(await past(now - REMEMBERED, now));
    span.tick();
  } catch {
    // charts begin now
  }
}

/** @type {import("./feed.js").State} */
let before = "connecting";

const feed = new Feed(
  (stats) => {
    if (!history.add(stats, Date.now() / 1000)) return;
    show(stats, history.latest);
    span.tick();
    document.title = `${rate(history.latest.requests_per_second)} requests/s – llmsim`;
    void requests.refresh();
    void settings.update(stats);
    windows.tick();
  },
  (state) => {
    if (state === "live" && before !== "live") {
      void fill();
      setTimeout(() => void fill(), SETTLED);
    }
    before = state;
    const pill = html("connection");
    pill.dataset.state = state;
    setText(pill, STATES[state]);
    html("token-button").hidden = state !== "token";
    if (state === "lost" || state === "token") document.title = `${STATES[state]} – llmsim`;
  },
);
html("token-button").addEventListener("click", () => feed.retry());
void feed.run();
