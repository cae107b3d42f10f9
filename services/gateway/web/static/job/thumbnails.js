// Small pictures of all pages, fetched when they come into view: three hundred cost no more than twenty.
import { count, t } from "./words.js";

const WIDTH = 120;

export class Thumbnails {
  constructor(strip, pages, address, onPick) {
    this.strip = strip;
    this.onPick = onPick;
    this.address = address;
    this.current = null;
    this.seen = new IntersectionObserver((entries) => this.load(entries), { root: strip, rootMargin: "200px" });
    strip.replaceChildren(...pages.map((page) => this.thumbnail(page)));
    strip.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.onPick(Number(button.dataset.number));
    });
    strip.addEventListener("keydown", (event) => this.keyDown(event));
  }

  /** Only now, so that the page one looks at comes first. */
  start() { for (const picture of this.strip.querySelectorAll("img")) this.seen.observe(picture); }

  thumbnail(page) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.number = page.number;
    button.tabIndex = -1;
    const picture = document.createElement("img");
    picture.alt = "";
    picture.width = WIDTH;
    picture.height = Math.min(2 * WIDTH, Math.round((WIDTH * page.height) / page.width));
    picture.dataset.number = page.number;
    const label = document.createElement("span");
    label.className = "thumb-label";
    button.append(picture, label);
    item.append(button);
    this.mark(button, page);
    return item;
  }

  /** The page's number and what is on it. */
  mark(button, page) {
    const { signatures, unsure, isCorrected } = summary(page);
    const signs = [signatures ? `✓ ${signatures}` : "", unsure ? `? ${unsure}` : "", isCorrected ? "✎" : ""];
    button.querySelector(".thumb-label").replaceChildren(String(page.number), ...signs.filter(Boolean).map(sign));
    const words = [t("page.n", { n: page.number })];
    if (signatures) words.push(count("signatures", signatures));
    if (unsure) words.push(count("unsure", unsure));
    if (isCorrected) words.push(t("level.person"));
    button.setAttribute("aria-label", words.join(", "));
  }

  update(page) { this.mark(this.button(page.number), page); }

  button(number) { return this.strip.querySelector(`button[data-number="${number}"]`); }

  show(number) {
    const before = this.current && this.button(this.current);
    if (before) { before.removeAttribute("aria-current"); before.tabIndex = -1; }
    this.current = number;
    const button = this.button(number);
    button.setAttribute("aria-current", "page");
    button.tabIndex = 0;
    this.reveal(button.parentElement);
  }

  /** Moves the strip, never the window. */
  reveal(item) {
    const { strip } = this;
    const top = item.offsetTop - strip.clientHeight / 2 + item.offsetHeight / 2;
    const left = item.offsetLeft - strip.clientWidth / 2 + item.offsetWidth / 2;
    strip.scrollTo({ top, left });
  }

  load(entries) {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      this.seen.unobserve(target);
      target.src = this.address(Number(target.dataset.number), WIDTH);
    }
  }

  keyDown(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const button = event.target.closest("button");
    if (!step || !button) return;
    event.preventDefault();
    const next = this.button(Number(button.dataset.number) + step);
    if (!next) return;
    this.onPick(Number(next.dataset.number));
    next.focus({ preventScroll: true });
  }
}

function sign(text) {
  const element = document.createElement("span");
  element.className = text.startsWith("?") ? "mark warn" : "mark";
  element.textContent = text;
  return element;
}

/** How many signatures are on a page, and how many that a person must decide on. */
export function summary(page) {
  const { correction } = page;
  if (correction) {
    return { signatures: correction.boxes.filter((box) => box.kind === "signature").length, unsure: 0, isCorrected: true };
  }
  const found = page.detections.filter((one) => one.kind === "signature");
  const at = (level) => found.filter((one) => one.level === level).length;
  return { signatures: at("sure"), unsure: at("unsure"), isCorrected: false };
}
