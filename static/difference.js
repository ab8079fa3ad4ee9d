// Where one text says other words than another.

const LONGEST = 1500; // words: the table grows with the square

// [from, to] of the pieces of `text` that `other` does not have in that order.
// >>> differences("so 40 remain", "so 35 remain")  →  [[3, 5]]
export function differences(text, other) {
  const [mine, theirs] = [words(text), words(other)];
  if (mine.length > LONGEST || theirs.length > LONGEST) return [];
  const kept = common(mine, theirs);
  const spans = [];
  mine.forEach(({ from, to }, index) => {
    if (kept.has(index)) return;
    const last = spans.at(-1);
    if (last && !text.slice(last[1], from).trim()) last[1] = to;
    else spans.push([from, to]);
  });
  return spans;
}

// Han and kana have no spaces between words: each sign is one.
const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}]+(?:[.,]\d+)*|[^\s\p{L}\p{N}]/gu;

const words = (text) => [...text.matchAll(WORD)].map((match) => ({ word: match[0], from: match.index, to: match.index + match[0].length }));

// Indices of the words of `mine` in a longest common subsequence.
function common(mine, theirs) {
  const lengths = mine.map(() => new Uint16Array(theirs.length + 1));
  lengths.push(new Uint16Array(theirs.length + 1));
  for (let i = mine.length - 1; i >= 0; i--) {
    for (let j = theirs.length - 1; j >= 0; j--) {
      const same = mine[i].word === theirs[j].word;
      lengths[i][j] = same ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const kept = new Set();
  for (let i = 0, j = 0; i < mine.length && j < theirs.length; ) {
    if (mine[i].word === theirs[j].word) kept.add(i++) && j++;
    else if (lengths[i + 1][j] >= lengths[i][j + 1]) i++;
    else j++;
  }
  return kept;
}
