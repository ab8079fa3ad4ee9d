// Small DOM helpers. Text always goes in as text nodes, never as markup.

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setData(node, name, value) {
  if (node.dataset[name] !== value) node.dataset[name] = value;
}

// The newest line stays in view of whoever has not scrolled away from it.
export function following(node, change) {
  const ended = node.scrollHeight - node.scrollTop - node.clientHeight < 24;
  change();
  if (ended) node.scrollTop = node.scrollHeight;
}

export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

// A part of the page that Gradio renders as an empty `.lm-mount`; filled anew should Gradio ever replace it.
export function mounted(id, build) {
  let host = null;
  let parts = null;
  return () => {
    const found = document.querySelector(`#${id} .lm-mount`);
    if (found && found !== host) {
      host = found;
      host.replaceChildren();
      parts = build(host);
    }
    return found ? parts : null;
  };
}

// Children of `parent` follow `items`: equal keys keep their node, so what is selected or focused stays so.
export function keyed(parent, items, key, create, update) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, position) => {
    const name = String(key(item, position));
    let node = old.get(name);
    if (!node) {
      node = create(item, position);
      node.dataset.key = name;
    }
    old.delete(name);
    if (parent.children[position] !== node) parent.insertBefore(node, parent.children[position] ?? null);
    update(node, item, position);
  });
  for (const node of old.values()) node.remove();
}
