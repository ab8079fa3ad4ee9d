// The time axis.
import { rate, seconds } from "../../numbers.js";
import { LANES } from "./answers.js";
import { count, tokens } from "./counts.js";

const span = (from, to) => (to === null ? "not over yet" : seconds(to - from));

const STATES = {
  running: "running",
  done: "done",
  cut: "cut short by Enter",
  dropped: "dropped at Enter: it had said nothing",
  "rolled-back": "rolled back: the text before it changed",
  making: "part of it",
  ready: "all of it",
  used: "shown at Enter, if the text was the same",
  "passed-on": "goes on into the next draft",
  discarded: "thrown away: the text changed",
  interrupted: "interrupted by other work",
  stopped: "stopped",
  failed: "failed",
};

const DESCRIBE = {
  typing: ({ grown, changes, from, to }) => [
    `${count(grown, "character")} typed`,
    changes > 1 ? `in ${count(changes, "change")}, ${seconds(to - from)}` : "at once",
  ],
  segments: ({ number, text, from, to, gone }) => [
    `Part ${number}${gone ? ", deleted" : ""}`,
    text.trim(),
    `typed in ${span(from, to)}`,
  ],
  notes: ({ index, text, kind, status, tokens: written, seconds: computed }) => [
    kind === "wait" && status === "done" ? `Part ${index + 1}: nothing to note yet` : `Note on part ${index + 1}`,
    text.trim(),
    `${STATES[status]} · ${tokens(written)} · ${seconds(computed)} computed`,
  ],
  ahead: ({ lane, from, to, tokens: written, ready, status }) => [
    `${LANES[lane].title}: answer begun before Enter`,
    STATES[status],
    `${tokens(written)} in ${span(from, to)} · ${tokens(ready)} ready`,
  ],
  submit: ({ prompt }) => ["Enter", prompt],
  lane: (name, { metrics, status, from, to }) => [
    LANES[name].title,
    STATES[status] ?? status,
    ...(metrics
      ? [
          `first word ${seconds(metrics.ttft)}, complete ${seconds(metrics.latency)}`,
          `${tokens(metrics.tokens)} · ${rate(metrics.tokens_per_s)}`,
          ...(metrics.overhead_s ? [`waited ${seconds(metrics.overhead_s)} for a step to stop`] : []),
        ]
      : [span(from, to)]),
  ],
};

export const TIMELINE = {
  title: "Timeline",
  hint: "Drag to move, Ctrl and wheel or + and − to zoom; with the keyboard, arrows go from one to the next.",
  rows: { typing: "Typing", segments: "Parts", notes: "Notes", ahead: "Ahead" },
  prompt: "This prompt",
  everything: "Everything",
  closer: "Zoom in",
  farther: "Zoom out",
  export: (kind) => `Export ${kind}`,
  submit: "Enter",
  preempted: STATES,
  figures: ({ ttft, tokens: written }) => `${seconds(ttft)} to first · ${tokens(written)}`,
  describe: (row, item) => (DESCRIBE[row] ? DESCRIBE[row](item) : DESCRIBE.lane(row, item)),
  summary: (prompts, parts, notes, preempted) =>
    `${count(prompts, "prompt")}, ${count(parts, "part")}, ${count(notes, "note")}, ${count(preempted, "step")} thrown away or cut`,
  legend: {
    first: "until the first word",
    rest: "writing",
    bad: "thrown away or cut short",
    enter: "Enter",
  },
};
