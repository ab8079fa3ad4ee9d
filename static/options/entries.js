// The drawer's entries, in their order: to add an option, add it here and to OPTIONS in words/.
//
//   name    of the option in docs/api.md; what it may be comes from the server
//   group   under which heading
//   input   "slider" where a number is better felt than known; otherwise its kind decides
//   step    of a number
//   off     (options) → why it does nothing now (a key of DRAWER.off), or null
//   read, write, choices   where what is shown is not the option itself

const LIVE = ["live", "live-slm"];
const COMPARED = ["conventional", "slm", "exact", "exact-slm", "llm-to-slm"];

const still = ({ mode }) => (mode === "off" ? "still" : null);
const noNotes = ({ mode }) => (mode === "infer" ? null : "noNotes");
const noDraft = ({ mode }) => (mode === "draft" ? null : "noDraft");
const greedy = ({ temperature }) => (temperature === 0 ? "greedy" : null);

export const ENTRIES = [
  { name: "models", group: "models", input: "choice" },
  { name: "mode", group: "typing", input: "choice" },
  { name: "granularity", group: "typing", off: still },
  { name: "min_length", group: "typing", off: still },
  { name: "format", group: "typing", off: noNotes },
  { name: "note_tokens", group: "typing", off: noNotes },
  {
    name: "think_threshold",
    group: "typing",
    input: "slider",
    step: 0.05,
    off: (options) => noNotes(options) ?? (options.format === "append" ? null : "noGate"),
  },
  { name: "draft_threshold", group: "typing", input: "slider", step: 0.05, off: noDraft },
  {
    name: "lanes",
    part: "answered_by",
    group: "answers",
    input: "choice",
    choices: LIVE,
    read: ({ lanes }) => LIVE.find((lane) => lanes.includes(lane)) ?? null,
    write: (chosen, { lanes }) => [chosen, ...lanes.filter((lane) => !LIVE.includes(lane))],
  },
  {
    name: "lanes",
    part: "compared",
    group: "answers",
    input: "several",
    choices: COMPARED,
    read: ({ lanes }) => lanes.filter((lane) => COMPARED.includes(lane)),
    write: (chosen, { lanes }) => [...lanes.filter((lane) => LIVE.includes(lane)), ...chosen],
  },
  { name: "max_tokens", group: "answers" },
  { name: "lookahead", group: "answers" },
  { name: "sentence_vae", group: "answers" },
  { name: "temperature", group: "sampling", input: "slider", step: 0.05 },
  { name: "top_p", group: "sampling", input: "slider", step: 0.01, off: greedy },
  { name: "top_k", group: "sampling", off: greedy },
  { name: "seed", group: "sampling", off: greedy },
  { name: "repetition_penalty", group: "sampling", input: "slider", step: 0.05 },
  { name: "speculate_tokens", group: "budgets", off: still },
  {
    name: "speculate_per_minute",
    group: "budgets",
    off: (options) => still(options) ?? (options.speculate_tokens ? null : "noSpeculation"),
  },
];

export const keyOf = (entry) => entry.part ?? entry.name;
