// Text as lines of at most so many pixels. Where there are no spaces, as in Chinese, a line ends anywhere.

const context = new OffscreenCanvas(1, 1).getContext("2d");

// At most `most` lines; one that is cut short ends with "…".
export function wrapped(text, width, most, { size, font }) {
  context.font = `${size}px ${font}`;
  const fits = (line) => context.measureText(line).width <= width;
  const lines = text.trim().split("\n").flatMap((paragraph) => broken(paragraph, fits));
  if (lines.length <= most) return lines;
  let last = [...lines[most - 1]];
  while (last.length && !fits(`${last.join("")}…`)) last = last.slice(0, -1);
  return [...lines.slice(0, most - 1), `${last.join("")}…`];
}

function broken(paragraph, fits) {
  const lines = [""];
  for (const word of paragraph.split(/(?<=\s)/)) {
    if (fits(lines.at(-1) + word.trimEnd())) lines[lines.length - 1] += word;
    else lines.push(...pieces(word, fits));
  }
  return lines.filter((line, index) => line || index || lines.length === 1);
}

// A word that is longer than a line.
function pieces(word, fits) {
  const found = [""];
  for (const sign of word) {
    if (fits(found.at(-1) + sign.trimEnd())) found[found.length - 1] += sign;
    else found.push(sign);
  }
  return found;
}
