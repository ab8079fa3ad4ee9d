// The picture that is shown, as a file.
import { download } from "../download.js";
import { TIMELINE } from "../words.js";
import { heightOf, paint } from "./paint.js";
import { CanvasPen, SvgPen } from "./pens.js";

const SCALE = 2; // pixels of a PNG per pixel of the page

export async function exportPng(record, view, palette) {
  const canvas = new OffscreenCanvas(view.width * SCALE, heightOf(record) * SCALE);
  paint(new CanvasPen(canvas, SCALE), record, view, palette);
  download("livemind-timeline.png", await canvas.convertToBlob({ type: "image/png" }));
}

export function exportSvg(record, view, palette) {
  const pen = new SvgPen(view.width, heightOf(record), `LiveMind: ${TIMELINE.title}`);
  paint(pen, record, view, palette);
  download("livemind-timeline.svg", new Blob([pen.toString()], { type: "image/svg+xml" }));
}
