// The options drawer.

export const DRAWER = {
  title: "Options",
  groups: { typing: "While I type", answers: "Answers", sampling: "Sampling", budgets: "Budgets" },
  copy: "Copy a link with these options",
  copied: "The link is copied.",
  reset: "Back to the defaults",
  none: "none",
  refused: (names) => `The link asks for what cannot be: ${names.join(", ")}. The rest holds.`,
  off: {
    still: "Off: nothing is done while you type.",
    noNotes: "Off: no notes are taken in this mode.",
    noDraft: "Off: nothing is drafted in this mode.",
    noGate: "Off: only the format append asks whether to think.",
    greedy: "Off: at temperature 0 the likeliest word is always taken.",
    noSpeculation: "Off: no answers are begun before Enter.",
  },
};

export const OPTIONS = {
  models: {
    label: "Choose a pair",
    help: "The large and the small one. Others are loaded when you choose them; the draft is thought about anew.",
  },
  mode: {
    label: "What happens",
    help: "Notes change the answer. A draft goes along with the text, and Enter keeps of it what still holds. The exact answer is the conventional one, only earlier. Nothing: no text is sent.",
    values: { infer: "Take notes", draft: "Draft the answer", exact: "Get the exact answer ready", off: "Nothing" },
  },
  granularity: {
    label: "Granularity",
    help: "What must be complete before it is thought about.",
    values: { char: "character", word: "word", sentence: "sentence", clause: "clause" },
  },
  min_length: { label: "Minimum length", help: "Characters that a part has at least." },
  format: {
    label: "Format",
    help: "How prompt and notes are laid out for the model.",
    values: {
      append: "append: notes follow their sentences",
      "u-pi": "u-pi: prompt, then notes",
      "u-pli": "u-pli: prompt, last sentence, then notes",
      "u-spi": "u-spi: each sentence with its note",
      "ua-pil": "ua-pil: prompt and notes, the last sentence apart",
      "ua-spi": "ua-spi: sentences and notes as a conversation",
    },
  },
  note_tokens: { label: "Longest note", help: "In tokens; fewer when you type fast." },
  think_threshold: { label: "Readiness to think", help: "How likely thinking must be, over waiting, for a note to be written." },
  draft_threshold: { label: "Strictness of drafts", help: "A drafted word stays if it is at least so likely, compared with the likeliest one. 1: only the likeliest." },
  answered_by: {
    label: "Answered by",
    help: "Who writes LiveMind's answer; notes and drafts are always the large model's.",
    values: { live: "Large model", "live-slm": "Small model" },
  },
  compared: {
    label: "Compare with",
    help: "Answered after LiveMind, one by one, to measure what they cost.",
    values: { conventional: "Conventional way", slm: "Small model alone", exact: "Exact", "exact-slm": "Exact, small model", "llm-to-slm": "Guided small model" },
  },
  max_tokens: { label: "Longest answer", help: "In tokens, about ¾ of a word each." },
  lookahead: { label: "Lookahead", help: "Drafts several words at once; the model confirms each. The answer stays the same." },
  sentence_vae: {
    label: "SentenceVAE",
    help: "A model that has it reads old sentences as a few vectors, or writes whole sentences. The answer changes, and so does its quality.",
    values: { off: "Off", sllm: "Whole sentences", hybrid: "Compressed context" },
  },
  temperature: { label: "Temperature", help: "0 always takes the likeliest word; more is more varied." },
  top_p: { label: "Top p", help: "Only the likeliest words that together have this probability. 1: all." },
  top_k: { label: "Top k", help: "Only so many of the likeliest words. 0: all." },
  seed: { label: "Seed", help: "The same number gives the same answer again. None: another one each time." },
  repetition_penalty: { label: "Repetition penalty", help: "Held against words that were said before. 1: none." },
  speculate_tokens: { label: "Ahead, for one prompt", help: "Tokens of answers that are begun before Enter. 0: none." },
  speculate_per_minute: { label: "Ahead, in a minute", help: "The same, of all prompts and lanes together." },
};
