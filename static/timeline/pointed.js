// What is pointed at in the picture, by mouse or keys: {row, item}, or null.
import { rowsOf } from "./paint.js";
import { visible } from "./scale.js";

const NEAR = 3; // pixels beside a thing that still mean it

export class Pointed {
  #at = null;

  // hits: what paint() drew
  hover(hits, x, y) {
    const within = (hit, near) => x >= hit.x - near && x <= hit.x + hit.width + near && y >= hit.y && y <= hit.y + hit.height;
    const hit = hits.findLast((one) => within(one, 0)) ?? hits.findLast((one) => within(one, NEAR));
    this.#at = hit ? { row: hit.row, item: hit.item } : null;
  }

  leave() {
    this.#at = null;
  }

  // From the one that is pointed at to the next in its row, or to the row above or below. Returns it, if there is one.
  walk(record, view, rows, steps) {
    const all = rowsOf(record).filter((row) => row !== "typing" && record.rows[row].length);
    if (!all.length) return null;
    const row = all[Math.min(Math.max(all.indexOf(this.#at?.row) + rows, 0), all.length - 1)];
    const spans = record.rows[row];
    const same = row === this.#at?.row;
    const at = same ? spans.indexOf(this.#at.item) + steps : spans.indexOf(visible(spans, view, view.now)[0]);
    const item = spans[Math.min(Math.max(at, 0), spans.length - 1)];
    this.#at = { row, item };
    return item;
  }

  // Where it is in the picture now.
  find(hits) {
    return this.#at && hits.find((one) => one.row === this.#at.row && same(one.item, this.#at.item));
  }
}

// A bar of the typing row is made anew with every picture.
const same = (one, other) => one === other || (one.changes !== undefined && one.from === other.from);
