// What is being edited, with everything that was done to it: no element of the page is known here.

const MOST_STEPS = 200;
const TOGETHER_MS = 700;

export class EditState {
  constructor(boxes, noSignature, onChange) {
    this.onChange = onChange;
    this.reset(boxes, noSignature);
  }

  reset(boxes, noSignature) {
    this.now = { boxes, noSignature };
    this.saved = this.now;
    this.past = [];
    this.future = [];
    this.lastStep = { name: "", at: 0 };
  }

  get boxes() { return this.now.boxes; }
  get noSignature() { return this.now.noSignature; }
  get isChanged() { return this.now !== this.saved && !isSame(this.now, this.saved); }

  find(key) { return this.now.boxes.find((box) => String(box.key) === String(key)); }

  /** Takes a step that can be undone. Steps of the same name shortly after one another are undone together. */
  step(next, name = "") {
    if (isSame(next, this.now)) return;
    const at = Date.now();
    const isSameStep = name && name === this.lastStep.name && at - this.lastStep.at < TOGETHER_MS;
    if (!isSameStep) this.past.push(this.now);
    if (this.past.length > MOST_STEPS) this.past.shift();
    this.lastStep = { name, at };
    this.future = [];
    this.now = next;
    this.onChange();
  }

  change(key, changes, name = "") {
    const boxes = this.boxes.map((box) => (String(box.key) === String(key) ? { ...box, ...changes } : box));
    this.step(this.consistent({ ...this.now, boxes }), name);
  }

  add(box) {
    const key = 1 + Math.max(0, ...this.boxes.map((one) => Number(one.key)));
    const added = { kind: "signature", detection: null, confidence: null, level: "person", ...box, key };
    this.step(this.consistent({ ...this.now, boxes: [...this.boxes, added] }));
    return added;
  }

  remove(key) {
    this.step({ ...this.now, boxes: this.boxes.filter((box) => String(box.key) !== String(key)) });
  }

  /** "No signature here" takes the signatures away; the other kinds stay. */
  sayNoSignature(isSaid) {
    const boxes = isSaid ? this.boxes.filter((box) => box.kind !== "signature") : this.boxes;
    this.step({ boxes, noSignature: isSaid });
  }

  consistent(next) {
    return next.boxes.some((box) => box.kind === "signature") ? { ...next, noSignature: false } : next;
  }

  undo() { return this.travel(this.past, this.future); }
  redo() { return this.travel(this.future, this.past); }

  travel(from, to) {
    if (!from.length) return false;
    to.push(this.now);
    this.now = from.pop();
    this.lastStep = { name: "", at: 0 };
    this.onChange();
    return true;
  }

  /** ``sent`` is saved; what was done since is not. */
  markSaved(sent) { this.saved = sent; this.onChange(); }

  /** What is sent. Without a signature and without saying so nothing can be sent: null. */
  toBody() {
    const { boxes, noSignature } = this.now;
    if (!noSignature && !boxes.some((box) => box.kind === "signature")) return null;
    return {
      boxes: boxes.map(({ kind, detection, x, y, width, height }) => ({
        kind, detection: detection ?? null, box: { x: tenths(x), y: tenths(y), width: tenths(width), height: tenths(height) },
      })),
      no_signature: noSignature,
    };
  }
}

const tenths = (value) => Math.round(value * 10) / 10;
const isSame = (a, b) => a === b || JSON.stringify(a) === JSON.stringify(b);
