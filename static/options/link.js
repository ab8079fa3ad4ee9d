// Options in the address: #temperature=0.7&lanes=live,slm. Only what differs from the defaults is named.
//
// `offered`: by name {kind, default, choices, low, high, optional}, as GET /api/options says.

// {options, refused}: what the address asks for, and the names of what cannot be.
export function read(fragment, offered) {
  const found = { options: {}, refused: [] };
  for (const [name, text] of new URLSearchParams(fragment.replace(/^#/, ""))) {
    const value = name in offered ? parse(text, offered[name]) : undefined;
    if (value === undefined) found.refused.push(name);
    else found.options[name] = value;
  }
  return found;
}

export function write(options, offered) {
  const named = new URLSearchParams();
  for (const [name, { default: usual }] of Object.entries(offered)) {
    if (String(options[name]) !== String(usual)) named.set(name, options[name] ?? "");
  }
  return named.toString().replaceAll("%2C", ",");
}

function parse(text, { kind, choices, low, high, optional }) {
  if (optional && text === "") return null;
  if (kind === "switch") return { true: true, false: false }[text];
  if (kind === "choice") return choices.includes(text) ? text : undefined;
  if (kind === "several") {
    const list = text.split(",");
    return list.every((one) => choices.includes(one)) ? list : undefined;
  }
  const number = text.trim() === "" ? NaN : Number(text);
  const fits = number >= low && number <= high && (kind === "number" || Number.isSafeInteger(number));
  return fits ? number : undefined;
}
