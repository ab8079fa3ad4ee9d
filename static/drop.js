// Text files dropped on the composer go into the box, as if they were pasted.
import { DROP } from "./words.js";

const MOST = 200_000; // bytes: far more than a prompt may have, little enough to read at once

const composer = (event) => event.target instanceof Element && event.target.closest("#lm-composer");
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

// on: text(text), notice(text)
export function acceptFiles(on) {
  const wanted = (event) => composer(event) && carriesFiles(event);
  document.addEventListener("dragover", (event) => wanted(event) && hold(event), true);
  document.addEventListener("drop", (event) => wanted(event) && (hold(event), read(event.dataTransfer.files[0], on)), true);
}

// The browser would open the file in place of the page.
function hold(event) {
  event.preventDefault();
  event.stopPropagation();
}

async function read(file, on) {
  if (!file) return;
  if (file.size > MOST) return on.notice(DROP.long(file.name));
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (text.includes("\0")) throw new TypeError("binary");
    on.text(text.replaceAll("\r\n", "\n"));
  } catch {
    on.notice(DROP.binary(file.name));
  }
}
