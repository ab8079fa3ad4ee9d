// Two ways to draw the same picture: on a canvas, and as SVG. A fill is {color, hatched}.

const HATCH = 6; // pixels from line to line

export class CanvasPen {
  #patterns = new Map();

  // `scale` is of the canvas: its pixels per pixel of the page.
  constructor(canvas, scale) {
    this.context = canvas.getContext("2d");
    this.scale = scale;
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
  }

  rect(x, y, width, height, fill) {
    this.context.fillStyle = fill.hatched ? this.#hatch(fill.color) : fill.color;
    this.context.fillRect(x, y, width, height);
  }

  frame(x, y, width, height, color) {
    this.context.strokeStyle = color;
    this.context.lineWidth = 1;
    this.context.strokeRect(x + 0.5, y + 0.5, Math.max(width - 1, 0), height - 1);
  }

  text(x, y, text, { color, size, anchor = "start", bold = false, font }) {
    this.context.font = fontOf({ size, bold, font });
    this.context.fillStyle = color;
    this.context.textAlign = anchor === "middle" ? "center" : anchor;
    this.context.textBaseline = "middle";
    this.context.fillText(text, x, y);
  }

  clip(x, y, width, height) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
  }

  unclip() {
    this.context.restore();
  }

  item() {}

  #hatch(color) {
    if (!this.#patterns.has(color)) this.#patterns.set(color, hatching(this.context, color));
    return this.#patterns.get(color);
  }
}

function hatching(context, color) {
  const tile = new OffscreenCanvas(HATCH, HATCH);
  const pen = tile.getContext("2d");
  pen.strokeStyle = color;
  pen.lineWidth = 2;
  pen.beginPath();
  for (const shift of [-HATCH, 0, HATCH]) {
    pen.moveTo(shift - 1, HATCH + 1);
    pen.lineTo(shift + HATCH + 1, -1);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat");
}

const fontOf = ({ size, bold, font }) => `${bold ? "600 " : ""}${size}px ${font}`;

// >>> escaped('a < "b"')  →  "a &lt; &quot;b&quot;"
const escaped = (text) =>
  text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
    .replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
const round = (number) => Math.round(number * 100) / 100;

export class SvgPen {
  #parts = [];
  #hatches = new Map();
  #clips = 0;
  #inItem = false;

  constructor(width, height, title) {
    Object.assign(this, { width, height, name: title });
  }

  // What is drawn until the next call is this, in words from `title()`: viewers show them as a tooltip.
  item(title) {
    if (this.#inItem) this.#parts.push("</g>");
    this.#inItem = title !== null;
    if (title) this.#parts.push(`<g><title>${escaped(title())}</title>`);
  }

  rect(x, y, width, height, fill) {
    const color = fill.hatched ? `url(#${this.#hatch(fill.color)})` : escaped(fill.color);
    this.#parts.push(`<rect ${box(x, y, width, height)} fill="${color}"/>`);
  }

  frame(x, y, width, height, color) {
    const inner = box(x + 0.5, y + 0.5, Math.max(width - 1, 0), height - 1);
    this.#parts.push(`<rect ${inner} fill="none" stroke="${escaped(color)}"/>`);
  }

  text(x, y, text, { color, size, anchor = "start", bold = false, font }) {
    const style = `font-family="${escaped(font)}" font-size="${size}"${bold ? ' font-weight="600"' : ""}`;
    const where = `x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" dominant-baseline="central"`;
    this.#parts.push(`<text ${where} fill="${escaped(color)}" ${style}>${escaped(text)}</text>`);
  }

  clip(x, y, width, height) {
    const name = `clip${++this.#clips}`;
    this.#parts.push(`<clipPath id="${name}"><rect ${box(x, y, width, height)}/></clipPath>`);
    this.#parts.push(`<g clip-path="url(#${name})">`);
  }

  unclip() {
    this.#parts.push("</g>");
  }

  toString() {
    const size = `width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"`;
    const head = `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img"><title>${escaped(this.name)}</title>`;
    const patterns = [...this.#hatches].map(([color, name]) => svgHatch(name, color));
    return [head, `<defs>${patterns.join("")}</defs>`, ...this.#parts, "</svg>"].join("\n");
  }

  #hatch(color) {
    if (!this.#hatches.has(color)) this.#hatches.set(color, `hatch${this.#hatches.size}`);
    return this.#hatches.get(color);
  }
}

const box = (x, y, width, height) =>
  `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`;

function svgHatch(name, color) {
  const line = `<path d="M-1,${HATCH + 1} L${HATCH + 1},-1" stroke="${escaped(color)}" stroke-width="2"/>`;
  return `<pattern id="${name}" width="${HATCH}" height="${HATCH}" patternUnits="userSpaceOnUse">${line}</pattern>`;
}
