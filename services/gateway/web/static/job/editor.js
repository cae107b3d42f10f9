// Boxes under the person's hands: move, resize, draw, delete, set their kind; with the mouse, a finger or the keyboard.
import { boxElement, fillLayer } from "./boxes.js";
import { around, between, moved, resized } from "./geometry.js";
import { t } from "./words.js";

const SIDES = ["nw", "n", "ne", "e", "se", "s", "sw", "w"];
const KINDS = { 1: "signature", 2: "initials", 3: "stamp" };
const CLICK_PX = 5;

export class Editor {
  /** Works on ``state`` (an EditState) in the viewer's ``.boxes`` layer; ``say`` speaks to screen readers. */
  constructor(viewer, state, say) {
    this.viewer = viewer;
    this.state = state;
    this.say = say;
    this.layer = viewer.pane.querySelector(".boxes");
    this.isDrawing = false;
    this.gesture = null;
    this.ended = new AbortController();
    const options = { signal: this.ended.signal };
    viewer.pane.addEventListener("pointerdown", (event) => this.pointerDown(event), options);
    viewer.pane.addEventListener("pointermove", (event) => this.pointerMove(event), options);
    viewer.pane.addEventListener("pointerup", (event) => this.pointerUp(event), options);
    viewer.pane.addEventListener("pointercancel", (event) => { if (this.isOfGesture(event)) this.giveUp(); }, options);
    this.layer.addEventListener("keydown", (event) => this.keyDown(event), options);
    this.layer.setAttribute("role", "application");
    this.layer.setAttribute("aria-label", t("edit.area"));
    this.layer.setAttribute("aria-describedby", "edit-keys");
    viewer.pane.classList.add("editing");
    viewer.claimsPointer = (event) => this.claims(event);
    this.draw();
  }

  end() {
    this.ended.abort();
    this.arm(false);
    this.viewer.pane.classList.remove("editing");
    this.viewer.claimsPointer = () => false;
    this.layer.removeAttribute("role");
    this.layer.removeAttribute("aria-label");
    this.layer.removeAttribute("aria-describedby");
  }

  draw() {
    const focused = this.layer.contains(document.activeElement) ? document.activeElement.closest(".box")?.dataset.key : null;
    fillLayer(this.layer, this.state.boxes.map((box, index) => this.boxWithHandles(box, index)));
    if (focused) this.focus(focused);
  }

  boxWithHandles(box, index) {
    const element = boxElement(box, this.viewer.page, index);
    element.tabIndex = 0;
    for (const sides of SIDES) {
      const handle = document.createElement("span");
      handle.className = `handle ${sides}`;
      handle.dataset.sides = sides;
      element.append(handle);
    }
    return element;
  }

  focus(key) { this.layer.querySelector(`[data-key="${key}"]`)?.focus({ preventScroll: true }); }

  /** With drawing armed, the next drag draws wherever it starts; a mere click puts a box of the usual size. */
  arm(isDrawing) {
    this.isDrawing = isDrawing;
    this.viewer.pane.classList.toggle("drawing", isDrawing);
  }

  claims(event) {
    if (event.button === 1) return false;
    return this.isDrawing || event.pointerType !== "touch" || Boolean(event.target.closest(".box"));
  }

  /** One finger works on a box, two zoom: the second takes back what the first had begun. */
  pointerDown(event) {
    if (this.viewer.isPinched) { this.giveUp(); return; }
    if (event.button !== 0 || !this.claims(event) || this.gesture) return;
    event.preventDefault();
    const start = this.viewer.pointAt(event);
    const element = this.isDrawing ? null : event.target.closest(".box");
    const handle = this.isDrawing ? null : event.target.closest(".handle");
    const box = element ? this.state.find(element.dataset.key) : null;
    const from = [event.clientX, event.clientY];
    this.gesture = { pointer: event.pointerId, start, box, sides: handle?.dataset.sides ?? null, now: null, from };
    if (box) this.focus(box.key);
    this.viewer.pane.setPointerCapture(event.pointerId);
  }

  isOfGesture(event) { return this.gesture?.pointer === event.pointerId; }

  giveUp() {
    if (!this.gesture) return;
    this.gesture = null;
    this.draw();
  }

  pointerMove(event) {
    if (!this.isOfGesture(event)) return;
    const { gesture } = this;
    if (!gesture.now && Math.hypot(event.clientX - gesture.from[0], event.clientY - gesture.from[1]) < CLICK_PX) return;
    const point = this.viewer.pointAt(event);
    const { start, box, sides } = gesture;
    const page = this.viewer.page;
    if (!box) gesture.now = between(start, point, page);
    else if (sides) gesture.now = resized(box, sides, point.x - start.x, point.y - start.y, page);
    else gesture.now = moved(box, point.x - start.x, point.y - start.y, page);
    this.preview(gesture);
  }

  preview({ box, now }) {
    const key = box?.key ?? "new";
    this.layer.querySelector(`[data-key="${key}"]`)?.remove();
    const shown = { kind: "signature", confidence: null, level: "person", ...box, ...now, key };
    const index = box ? this.state.boxes.indexOf(box) : this.state.boxes.length;
    const element = this.boxWithHandles(shown, index);
    element.classList.add("lit");
    this.layer.append(element);
  }

  pointerUp(event) {
    if (!this.isOfGesture(event)) return;
    const { gesture } = this;
    this.gesture = null;
    if (gesture.box) this.finish(gesture.box, gesture.now);
    else if (gesture.now) this.add(gesture.now);
    else if (this.isDrawing) this.add(around(gesture.start, this.viewer.page));
  }

  finish(box, now) {
    if (now) this.state.change(box.key, corrected(now));
    this.draw();
    this.focus(box.key);
  }

  /** A new box; without a place for it, in the middle of what is seen. */
  add(place = null) {
    const box = place ?? around(this.middle(), this.viewer.page);
    const { x, y, width, height } = box;
    const added = this.state.add({ x, y, width, height });
    this.arm(false);
    this.draw();
    this.focus(added.key);
    this.say(t("edit.added"));
  }

  middle() {
    const frame = this.viewer.pane.getBoundingClientRect();
    return this.viewer.pointAt({ clientX: frame.left + frame.width / 2, clientY: frame.top + frame.height / 2 });
  }

  remove(key) {
    const index = this.state.boxes.findIndex((box) => String(box.key) === String(key));
    this.state.remove(key);
    this.draw();
    const next = this.state.boxes[Math.min(index, this.state.boxes.length - 1)];
    if (next) this.focus(next.key);
    else this.viewer.pane.focus({ preventScroll: true });
    this.say(t("edit.deleted"));
  }

  keyDown(event) {
    const element = event.target.closest(".box");
    if (!element || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = element.dataset;
    if (event.key === "Delete" || event.key === "Backspace") this.remove(key);
    else if (KINDS[event.key]) this.state.change(key, { kind: KINDS[event.key] });
    else if (!this.arrow(event, key)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  arrow(event, key) {
    const page = this.viewer.page;
    const step = Math.max(1, Math.round(page.width / 400));
    const delta = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (!delta) return false;
    const box = this.state.find(key);
    const next = event.shiftKey ? resized(box, "se", ...delta, page) : moved(box, ...delta, page);
    this.state.change(key, corrected(next), `${event.shiftKey ? "resize" : "move"} ${key}`);
    this.viewer.reveal(next);
    this.say(t("edit.placed", numbers(next)));
    return true;
  }
}

/** Touched by a person: no longer as sure as the model was, but certain. */
const corrected = ({ x, y, width, height }) => ({ x, y, width, height, confidence: null, level: "person" });

const numbers = (box) => Object.fromEntries(["x", "y", "width", "height"].map((name) => [name, Math.round(box[name])]));
