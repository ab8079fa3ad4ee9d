// The chats that this browser keeps: open, rename, delete, take along and bring back.
import { h, keyed, mounted, setText, show } from "../dom.js";
import { CHATS } from "../words.js";

let on = {};

const parts = mounted("lm-chats", (host) => {
  const list = h("ol", { class: "lm-chat-list", "aria-label": CHATS.title });
  const file = h("input", { type: "file", accept: ".json,application/json", hidden: true, "aria-label": CHATS.import });
  file.addEventListener("change", () => {
    if (file.files.length) on.bring(file.files[0]);
    file.value = "";
  });
  const tools = [
    button(CHATS.export, () => on.exportAll()),
    button(CHATS.import, () => file.click()),
    button(CHATS.csv, () => on.exportFigures("csv")),
    button(CHATS.json, () => on.exportFigures("json")),
    button(CHATS.png, () => on.exportFigures("png")),
  ];
  const section = h(
    "section",
    { class: "lm-card lm-chats", "aria-label": CHATS.title },
    h("div", { class: "lm-bar-of-tools" }, h("h2", { class: "lm-label" }, CHATS.title), ...tools, file),
    h("p", { class: "lm-caption" }, CHATS.hint),
    list,
  );
  host.append(section);
  return { section, list, tools };
});

// handlers: open(id), rename(id, title), remove(id), exportAll(), exportFigures(kind), bring(file)
export function keepChats(handlers) {
  on = handlers;
}

function button(text, act, label = text) {
  const made = h("button", { type: "button", class: "lm-small", "aria-label": label, title: label }, text);
  made.addEventListener("click", act);
  return made;
}

// `chats` newest first; `present` is the id of the open one, `measured` whether it has figures
export function renderChats(chats, present, measured) {
  const view = parts();
  if (!view) return;
  const [exportAll, , ...figures] = view.tools;
  exportAll.disabled = !chats.length;
  for (const tool of figures) tool.disabled = !measured;
  const focused = [...view.list.children].findIndex((row) => row.contains(document.activeElement));
  keyed(view.list, chats, ({ id }) => id, create, (node, chat) => update(node, chat, chat.id === present));
  if (focused >= 0 && !view.list.contains(document.activeElement)) focusNear(view, focused);
}

// The chat that had the focus is deleted: its neighbour has it now.
function focusNear({ list, tools }, index) {
  const row = list.children[index] ?? list.lastElementChild;
  (row?.firstChild ?? tools[1]).focus();
}

function create({ id }) {
  const row = h("li", { class: "lm-chat" });
  const open = button("", () => on.open(id));
  open.classList.add("lm-chat-title");
  open.dir = "auto";
  open.removeAttribute("aria-label");
  row.append(
    open,
    h("span", { class: "lm-caption" }),
    button("✎", () => rename(row, id), CHATS.rename),
    button("×", () => confirm(CHATS.sure(open.textContent)) && on.remove(id), CHATS.remove),
  );
  return row;
}

function update(row, { title, at, turns }, present) {
  const [open, when] = row.children;
  setText(open, title);
  if (open.title !== title) open.title = title;
  if (present) open.setAttribute("aria-current", "true");
  else open.removeAttribute("aria-current");
  setText(when, CHATS.when(turns.length, new Date(at)));
}

function rename(row, id) {
  const open = row.firstChild;
  const input = h("input", { class: "lm-chat-name", "aria-label": CHATS.name, value: open.textContent, maxlength: "80", dir: "auto" });
  let over = false;
  const done = (keep, stay = true) => {
    if (over) return; // taking it away is a blur, too
    over = true;
    const title = input.value.trim();
    input.remove();
    show(open, true);
    if (keep && title) on.rename(id, title);
    if (stay) open.focus();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") done(true);
    if (event.key !== "Escape") return;
    event.stopPropagation();
    done(false);
  });
  input.addEventListener("blur", () => done(true, false)); // whoever leaves has the focus elsewhere
  show(open, false);
  row.append(input);
  input.select();
}
