// Mouse, fingers and keys on the picture.

export const ZOOM = 1.4;
const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

// on: zoom(factor, x), move(pixels), everything(), walk(rows, steps), hover(x, y), leave()
export function listen(stage, on) {
  const pointers = new Map();
  stage.addEventListener("wheel", (event) => wheel(event, on), { passive: false });
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event.offsetX);
    if (event.pointerType !== "mouse") on.hover(event.offsetX, event.offsetY);
  });
  stage.addEventListener("pointermove", (event) => drag(event, pointers, on));
  for (const name of ["pointerup", "pointercancel"]) {
    stage.addEventListener(name, ({ pointerId }) => pointers.delete(pointerId));
  }
  stage.addEventListener("pointerleave", () => on.leave());
  stage.addEventListener("dblclick", (event) => on.zoom(1 / ZOOM ** 3, event.offsetX));
  stage.addEventListener("keydown", (event) => key(event, on));
}

function wheel(event, on) {
  if (event.ctrlKey || event.metaKey) on.zoom(Math.exp(event.deltaY * 0.004), event.offsetX);
  else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) on.move(event.deltaX || event.deltaY);
  else return; // the page scrolls
  event.preventDefault();
}

// One pointer moves the picture, two pinch it, none points at something. Of two fingers one moves at a time: about
// the other, the times below both stay.
function drag(event, pointers, on) {
  const before = pointers.get(event.pointerId);
  if (before === undefined) return on.hover(event.offsetX, event.offsetY);
  pointers.set(event.pointerId, event.offsetX);
  if (pointers.size === 1) return on.move(before - event.offsetX);
  const [other] = [...pointers].find(([id]) => id !== event.pointerId).slice(1);
  const apart = Math.max(Math.abs(event.offsetX - other), 1);
  on.zoom(Math.max(Math.abs(before - other), 1) / apart, other);
}

function key(event, on) {
  if (event.key === "+" || event.key === "=") on.zoom(1 / ZOOM, null);
  else if (event.key === "-") on.zoom(ZOOM, null);
  else if (event.key === "Home") on.everything();
  else if (STEPS[event.key]) on.walk(...STEPS[event.key]);
  else return;
  event.preventDefault();
}
