// Figures of a chat as a table: JSON rows and CSV.

const BOTH = ["live-slm", "llm-to-slm"];

// What the lanes of these turns took, one row each: for tables and plots elsewhere.
// models: [{role, name}] that answer now; who answered in another session is not known
export function comparison(turns, models) {
  return turns.flatMap(({ id, prompt, lanes, restored }) =>
    Object.entries(lanes).map(([lane, { status, metrics, text }]) => {
      const model = restored ? null : answering(lane, models);
      return { turn: id, prompt, lane, model, status, ...metrics, answer: text };
    }),
  );
}

function answering(lane, models) {
  const roles = BOTH.includes(lane) ? ["llm", "slm"] : [lane.endsWith("slm") ? "slm" : "llm"];
  return roles.map((role) => models.find((model) => model.role === role)?.name).filter(Boolean).join(" + ") || null;
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
