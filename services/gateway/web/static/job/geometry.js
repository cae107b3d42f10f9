// Boxes as plain numbers, in pixels of the page: {x, y, width, height}.

export const SMALLEST = 4;

const clamp = (value, least, most) => Math.min(Math.max(value, least), Math.max(least, most));

/** The box moved by (dx, dy), kept on the page. */
export function moved(box, dx, dy, page) {
  return {
    ...box,
    x: clamp(box.x + dx, 0, page.width - box.width),
    y: clamp(box.y + dy, 0, page.height - box.height),
  };
}

/** The box with one or two of its sides ("n", "se", …) moved by (dx, dy), kept on the page and never turned over. */
export function resized(box, sides, dx, dy, page) {
  let left = box.x;
  let top = box.y;
  let right = box.x + box.width;
  let bottom = box.y + box.height;
  if (sides.includes("w")) left = clamp(left + dx, 0, right - SMALLEST);
  if (sides.includes("e")) right = clamp(right + dx, left + SMALLEST, page.width);
  if (sides.includes("n")) top = clamp(top + dy, 0, bottom - SMALLEST);
  if (sides.includes("s")) bottom = clamp(bottom + dy, top + SMALLEST, page.height);
  return { ...box, x: left, y: top, width: right - left, height: bottom - top };
}

/** The box between two points of the page. */
export function between(a, b, page) {
  const left = clamp(Math.min(a.x, b.x), 0, page.width - SMALLEST);
  const top = clamp(Math.min(a.y, b.y), 0, page.height - SMALLEST);
  const right = clamp(Math.max(a.x, b.x), left + SMALLEST, page.width);
  const bottom = clamp(Math.max(a.y, b.y), top + SMALLEST, page.height);
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** A box of a signature's usual size around a point. */
export function around(point, page) {
  const width = Math.max(SMALLEST, page.width * 0.2);
  const height = Math.max(SMALLEST, Math.min(page.height * 0.06, width / 2));
  return moved({ x: point.x - width / 2, y: point.y - height / 2, width, height }, 0, 0, page);
}

/** Places an element over a box of the page, in shares of its parent, so that zooming needs no new placing. */
export function place(element, box, page) {
  element.style.left = `${(100 * box.x) / page.width}%`;
  element.style.top = `${(100 * box.y) / page.height}%`;
  element.style.width = `${(100 * box.width) / page.width}%`;
  element.style.height = `${(100 * box.height) / page.height}%`;
}
