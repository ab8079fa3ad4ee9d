// What was made of the draft, part by part: notes, or what each part gave to the answer that is begun on it.

export const thoughtsOn = (actions, answer) => (actions.length ? actions : shares(answer));

// What an answer's thoughts gave to its text, as notes are told; what a later part took back is empty.
function shares(answer) {
  const thoughts = answer?.thoughts ?? [];
  return thoughts.map(({ index, begin, end: last, tokens, seconds, running }, number) => {
    const end = Math.min(last ?? Infinity, ...thoughts.slice(number + 1).map((later) => later.begin));
    const text = characters(answer.text, end).slice(characters(answer.text, begin).length);
    const first = number ? thoughts[number - 1].index + 1 : 0;
    return { first, index, kind: "draft", status: shareStatus(running, text, tokens), text, tokens, seconds };
  });
}

function shareStatus(running, text, tokens) {
  if (running) return "drafting";
  if (text.trim()) return "drafted";
  return tokens ? "rewritten" : "unchanged";
}

// Those that read nothing which an edit has changed.
export function holding(thoughts, before, after) {
  const kept = thoughts.filter(({ upto }) => after.startsWith(characters(before, upto)));
  const gone = thoughts.slice(kept.length);
  if (!kept.length || !gone.length) return kept;
  const last = kept.at(-1);
  const end = Math.min(last.end ?? Infinity, ...gone.map((thought) => thought.begin));
  return [...kept.slice(0, -1), { ...last, end }];
}

// The first ones, as the server counts them: a character beyond the basic plane is one.
function characters(text, number) {
  return /[\ud800-\udbff]/.test(text) ? [...text].slice(0, number).join("") : text.slice(0, number);
}
