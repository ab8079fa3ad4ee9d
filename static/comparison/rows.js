// Figures of a chat as a table: JSON rows and CSV.

// What the lanes of these turns took, one row each: for tables and plots elsewhere. Who answered in another session is
// not known.
export function comparison(turns) {
  return turns.flatMap(({ id, prompt, lanes }) =>
    Object.entries(lanes).map(([lane, { status, models, metrics, text }]) => {
      return { turn: id, prompt, lane, model: models ?? null, status, ...metrics, answer: text };
    }),
  );
}

// >>> csv([{ a: 1, b: 'x,"y"' }])  →  'a,b\r\n1,"x,""y"""\r\n'
export function csv(rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  const lines = [names, ...rows.map((row) => names.map((name) => row[name]))];
  return lines.map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

// Text that a spreadsheet would take for a formula is made text.
function cell(value) {
  if (value == null) return "";
  const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
