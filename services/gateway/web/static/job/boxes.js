// Boxes over a page, and the list beside it: what is pointed at in one is shown in the other.
import { place } from "./geometry.js";
import { percent, t } from "./words.js";

/** What a box is in words: "Signature, 87 %, sure". */
export function describe(box) {
  const kind = t(`kind.${box.kind}`);
  if (box.confidence === null || box.confidence === undefined) return `${kind}, ${t("level.person")}`;
  return `${kind}, ${percent(box.confidence)}, ${t(`level.${box.level}`)}`;
}

export function boxElement(box, page, index) {
  const element = document.createElement("div");
  element.className = `box ${box.level}`;
  element.dataset.key = box.key;
  element.setAttribute("role", "button");
  element.setAttribute("aria-label", `${index + 1}. ${describe(box)}`);
  element.tabIndex = -1;
  const tag = document.createElement("span");
  tag.className = "tag";
  tag.textContent = String(index + 1);
  if (box.confidence != null) {
    const share = document.createElement("span");
    share.className = "share";
    share.textContent = ` · ${percent(box.confidence)}`;
    tag.append(share);
  }
  element.append(tag);
  place(element, box, page);
  return element;
}

/** Where there are many boxes, their labels are short until one is pointed at. */
const CROWD = 10;

export function fillLayer(layer, elements) {
  layer.classList.toggle("crowded", elements.length > CROWD);
  layer.replaceChildren(...elements);
}

export function drawBoxes(layer, boxes, page) {
  fillLayer(layer, boxes.map((box, index) => boxElement(box, page, index)));
}

/** The list: a button for each box; ``extra(box)`` may add controls. */
export function drawList(list, boxes, extra = () => []) {
  list.replaceChildren(...boxes.map((box, index) => {
    const item = document.createElement("li");
    item.dataset.key = box.key;
    item.className = box.level;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "pick";
    const name = document.createElement("span");
    name.textContent = `${index + 1}. ${t(`kind.${box.kind}`)}`;
    button.append(name, levelBadge(box));
    item.append(button, ...extra(box));
    return item;
  }));
}

function levelBadge(box) {
  const badge = document.createElement("span");
  const colour = { sure: "good", unsure: "warn", person: "person" }[box.level] ?? "";
  badge.className = `badge ${colour}`;
  const word = t(`level.${box.level}`);
  badge.textContent = box.confidence == null ? word : `${percent(box.confidence)} · ${word}`;
  return badge;
}

/** Pointing at a box lights its line and the other way round; ``onPick(key)`` is told of clicks and of focus. */
export function tie(layers, list, onPick) {
  const all = [...layers, list];
  const light = (key, isOn) => {
    for (const part of all) {
      for (const one of part.querySelectorAll(`[data-key="${key}"]`)) one.classList.toggle("lit", isOn);
    }
  };
  const keyOf = (event) => event.target.closest?.("[data-key]")?.dataset.key;
  for (const part of all) {
    part.addEventListener("pointerover", (event) => { const key = keyOf(event); if (key) light(key, true); });
    part.addEventListener("pointerout", (event) => { const key = keyOf(event); if (key) light(key, false); });
    part.addEventListener("focusin", (event) => { const key = keyOf(event); if (key) { light(key, true); onPick(key, part); } });
    part.addEventListener("focusout", (event) => { const key = keyOf(event); if (key) light(key, false); });
    part.addEventListener("click", (event) => { const key = keyOf(event); if (key) onPick(key, part); });
  }
}
