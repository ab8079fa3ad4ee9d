// The status line: one short sentence on what is going on, announced to screen readers when it changes.
import { h, mounted, setData, setText } from "../dom.js";
import { currentTurn, ready, running, runningNote } from "../store.js";
import { LANE_STATUS, PANE, STATUS } from "../words.js";
import { laneStatus } from "./lane.js";
import { modelsInWords } from "./models.js";

const parts = mounted("lm-status", (host) => {
  const dot = h("span", { class: "lm-dot", "aria-hidden": "true" });
  const text = h("span", { class: "lm-status-text", role: "status", "aria-live": "polite" });
  const count = h("span", { class: "lm-status-count", "aria-hidden": "true" }); // would be read out at each token
  host.append(dot, text, count);
  return { dot, text, count };
});

// link: {offline, sending, notice, allowed}
export function renderStatus(state, link, health) {
  const view = parts();
  if (!view) return;
  const [kind, text, count = ""] = wording(state, link, health);
  setData(view.dot, "kind", kind);
  setData(view.dot, "sending", String(link.sending));
  setText(view.text, text);
  setText(view.count, count);
}

function wording(state, link, health) {
  if (link.offline) return ["offline", STATUS.offline];
  if (link.notice) return [link.notice.kind, link.notice.text];
  const models = modelsInWords(health);
  if (models) return [health.status === "failed" ? "error" : "busy", models];
  const turn = currentTurn(state);
  if (running(turn)) return ["busy", answering(turn)];
  if (!link.allowed) return ["idle", STATUS.off];
  const note = runningNote(state);
  if (note) return ["busy", STATUS.thinking(note.index + 1, state.segments.length)];
  const answer = ready(state);
  if (answer?.draft) return ["busy", STATUS.drafting, PANE.tokens(answer.ready)];
  if (answer && !answer.done) return ["busy", STATUS.ahead, PANE.tokens(answer.ready)];
  return ["idle", idle(state, turn)];
}

function answering(turn) {
  const [name, lane] = Object.entries(turn.lanes).find(([, one]) => one.status === "running") ?? [];
  if (!name) return STATUS.starting;
  return STATUS.lane(name, LANE_STATUS[laneStatus(lane)]);
}

function idle(state, turn) {
  const answer = ready(state);
  if (answer) return STATUS.ready(answer.ready);
  const notes = state.actions.filter((note) => note.kind === "inference").length;
  if (notes) return STATUS.noted(notes);
  if (state.segments.length) return STATUS.listening;
  return turn ? STATUS.answered : STATUS.idle;
}
