// The status line: one short sentence on what is going on, announced to screen readers when it changes.
import { h, mounted, setData, setText } from "../dom.js";
import { currentTurn, ready, running, runningNote } from "../store.js";
import { LANES, count } from "../words.js";
import { laneStatus } from "./lane.js";
import { modelsInWords } from "./models.js";

const parts = mounted("lm-status", (host) => {
  const dot = h("span", { class: "lm-dot", "aria-hidden": "true" });
  const text = h("span", { class: "lm-status-text", role: "status", "aria-live": "polite" });
  host.append(dot, text);
  return { dot, text };
});

// link: {offline, sending, notice}
export function renderStatus(state, link, health) {
  const view = parts();
  if (!view) return;
  const [kind, text] = wording(state, link, health);
  setData(view.dot, "kind", kind);
  setData(view.dot, "sending", String(link.sending));
  setText(view.text, text);
}

function wording(state, link, health) {
  if (link.offline) return ["offline", "Offline. Your text is kept here and sent when the connection is back."];
  if (link.notice) return ["error", link.notice];
  const models = modelsInWords(health);
  if (models) return [health.status === "failed" ? "error" : "busy", models];
  const turn = currentTurn(state);
  if (running(turn)) return ["busy", answering(turn)];
  if (state.options?.mode === "off") return ["idle", "Thinking while you type is off: nothing is sent before Enter."];
  const note = runningNote(state);
  if (note) return ["busy", `Thinking about part ${note.index + 1} of ${state.segments.length}.`];
  const answer = ready(state);
  if (answer && !answer.done) return ["busy", `Answering ahead: ${count(answer.ready, "token")} ready. Enter shows them.`];
  return ["idle", idle(state, turn)];
}

function answering(turn) {
  const [name, lane] = Object.entries(turn.lanes).find(([, one]) => one.status === "running") ?? [];
  if (!name) return "Starting…";
  return `${LANES[name].title} is ${laneStatus(lane)}.`;
}

function idle(state, turn) {
  const answer = ready(state);
  if (answer) return `The answer is ready: ${count(answer.ready, "token")}. Enter shows it.`;
  const notes = state.actions.filter((note) => note.kind === "inference").length;
  if (notes) return `Ready: ${notes === 1 ? "1 note is" : `${notes} notes are`} written. Enter sends.`;
  if (state.segments.length) return "Listening. Enter sends, Shift+Enter starts a new line.";
  return turn ? "All answers are there. Ask on, or start a new chat." : "Ready. Start typing.";
}
