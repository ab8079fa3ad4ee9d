// "Run the benchmark on my prompts": a list of prompts, how far the run is, its figures and report.
import { reportUrl } from "../api.js";
import { h, keyed, mounted, setText, show } from "../dom.js";
import { BENCHMARK, LANES, percent, seconds } from "../words.js";

let on = {};

// handlers: start(text), cancel()
export function offerBenchmark(handlers) {
  on = handlers;
}

const parts = mounted("lm-benchmark", (host) => {
  const prompts = h("textarea", { id: "lm-own-prompts", rows: "5", dir: "auto", placeholder: BENCHMARK.placeholder });
  const start = button(BENCHMARK.start, () => on.start(prompts.value));
  start.disabled = true;
  prompts.addEventListener("input", () => (start.disabled = !prompts.value.trim()));
  const cancel = button(BENCHMARK.cancel, () => on.cancel());
  const report = h("a", { class: "lm-small", href: reportUrl, download: "livemind-benchmark.zip" }, BENCHMARK.report);
  const progress = h("progress", { "aria-label": BENCHMARK.progress });
  const told = h("span", { class: "lm-caption", role: "status" });
  const rows = h("tbody");
  const head = h("tr", {}, ...BENCHMARK.columns.map((name) => h("th", { scope: "col" }, name)));
  const table = h("table", { class: "lm-runs-table" }, h("thead", {}, head), rows);
  const wide = h("div", { class: "lm-wide", tabindex: "0", role: "group", "aria-label": BENCHMARK.figures }, table);
  const section = h("details", { class: "lm-card lm-benchmark", hidden: true });
  section.append(
    h("summary", {}, BENCHMARK.title),
    h("label", { for: "lm-own-prompts" }, BENCHMARK.label),
    prompts,
    h("p", { class: "lm-caption" }, BENCHMARK.hint),
    h("div", { class: "lm-bar-of-tools" }, start, cancel, progress, report, told),
    wide,
  );
  host.append(section);
  return { section, start, cancel, report, progress, told, rows, wide };
});

function button(text, act) {
  const made = h("button", { type: "button", class: "lm-small" }, text);
  made.addEventListener("click", act);
  return made;
}

export function renderBenchmark(status) {
  const view = parts();
  if (!view) return;
  show(view.section, status !== null);
  if (!status) return;
  const { state, done, total, error, lanes } = status;
  const running = state === "running";
  show(view.start, !running);
  show(view.cancel, running);
  show(view.progress, running);
  if (running) Object.assign(view.progress, { max: total, value: done });
  show(view.report, state === "done");
  setText(view.told, error ?? BENCHMARK.told[state](done, total));
  show(view.wide, state === "done");
  keyed(view.rows, Object.entries(lanes), ([name]) => name, row, update);
}

const row = ([name]) =>
  h("tr", { "data-lane": name }, h("th", { scope: "row" }, LANES[name].bar), ...BENCHMARK.columns.slice(1).map(() => h("td")));

function update(node, [name, figures]) {
  const known = (value, write) => (value == null ? "–" : write(value));
  const cells = [
    String(figures.n),
    known(figures.ttft_p50, seconds),
    known(figures.latency_mean, seconds),
    known(figures.latency_mean_ci, ([low, high]) => `${seconds(low)} – ${seconds(high)}`),
    name === "conventional" ? "–" : known(figures.reduction, (reduction) => percent(-reduction)),
    known(figures.wasted, (tokens) => tokens.toFixed(1)),
  ];
  cells.forEach((text, index) => setText(node.children[index + 1], text));
}
