// How the page words states and numbers.

export const LANES = {
  live: { title: "LiveMind", hint: "worked while you typed, answered by the large model", bar: "LiveMind" },
  "live-slm": {
    title: "LiveMind + small model",
    hint: "the large model worked while you typed, the small one answered",
    bar: "LiveMind + small",
  },
  exact: { title: "Exact", hint: "the conventional answer, begun before Enter", bar: "Exact" },
  "exact-slm": {
    title: "Exact, small model",
    hint: "the small model’s own answer, begun before Enter",
    bar: "Exact small",
  },
  "llm-to-slm": {
    title: "Guided small model",
    hint: "the large model read while you typed, the small one wrote from what it saw",
    bar: "Guided small",
  },
  conventional: {
    title: "Conventional",
    hint: "the large model reads your complete prompt after Enter",
    bar: "Conventional",
  },
  slm: { title: "Small model alone", hint: "reads your complete prompt after Enter", bar: "Small alone" },
};

export const SEGMENTS = {
  typing: { icon: "✎", word: "being typed" },
  finished: { icon: "·", word: "finished" },
  thinking: { icon: "…", word: "thinking" },
  noted: { icon: "✓", word: "noted" },
  waiting: { icon: "⏸", word: "waits for more" },
  "rolled-back": { icon: "↶", word: "rolled back" },
  cut: { icon: "✂", word: "cut short" },
};

export const LANE_STATUS = {
  queued: "waits its turn",
  reading: "reading the prompt",
  writing: "writing",
  done: "done",
  interrupted: "interrupted",
  stopped: "stopped",
  failed: "failed",
};

export const MODEL_STATES = {
  missing: "not here yet",
  fetching: "downloading",
  loading: "loading into memory",
  ready: "ready",
  failed: "failed",
};

export const ROLES = { llm: "Large model", slm: "Small model" };

export function seconds(value) {
  if (value == null) return "–";
  return `${value.toFixed(value < 1 ? 2 : 1)} s`;
}

export function percent(fraction) {
  const value = Math.round(Math.abs(fraction) * 100);
  return `${fraction < 0 ? "−" : "+"}${value} %`;
}

export const count = (number, thing) => `${number.toLocaleString("en")} ${thing}${number === 1 ? "" : "s"}`;
export const rate = (value) => (value > 0 ? `${value.toFixed(1)} tok/s` : "–");
