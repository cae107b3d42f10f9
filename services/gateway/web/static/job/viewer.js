// One page on screen, to zoom and to move with mouse, touch and keys. Viewers may be linked: they then move as one.

const WIDTHS = [400, 640, 900, 1240, 1754, 2480, 3508];
const MOST = 12;
const MARGIN = 8;
const AGAIN_MS = 3000;
const AGAIN_AT_MOST_MS = 60000;

export class Viewer {
  /** ``pane`` holds ``.stage``, and that maybe ``.boxes``. ``address(number, width)`` names the picture. */
  constructor(pane, address) {
    this.pane = pane;
    this.stage = pane.querySelector(".stage");
    this.picture = new Image();
    this.picture.draggable = false;
    this.stage.prepend(this.picture);
    this.address = address;
    this.page = null;
    this.view = { scale: 1, x: 0, y: 0 };
    this.linked = [];
    this.isFitted = true;
    this.isBroken = false;
    this.focusBox = null;
    this.pointers = new Map();
    this.claimsPointer = () => false;
    this.onPage = () => {};
    new ResizeObserver(() => this.resize()).observe(pane);
    this.listen();
  }

  show(page, label) {
    clearTimeout(this.sharpening);
    clearTimeout(this.loadingAgain);
    this.page = page;
    this.width = 0;
    this.isBroken = false;
    this.pause = AGAIN_MS;
    this.picture.alt = label;
    this.fit();
  }

  /** Whole page in the pane; with a box, that box and what surrounds it. */
  fit(box = null) {
    this.focusBox = box;
    this.isFitted = true;
    const { clientWidth: width, clientHeight: height } = this.pane;
    if (!this.page || !width || !height) return;
    const part = box ? surroundings(box, this.page) : { x: 0, y: 0, width: this.page.width, height: this.page.height };
    const scale = Math.min((width - 2 * MARGIN) / part.width, (height - 2 * MARGIN) / part.height);
    const x = width / 2 - (part.x + part.width / 2) * scale;
    const y = height / 2 - (part.y + part.height / 2) * scale;
    this.set({ scale, x, y });
    this.isFitted = true;
  }

  resize() {
    if (this.isFitted) this.fit(this.focusBox);
    else this.set(this.view);
  }

  get fitScale() {
    const { clientWidth: width, clientHeight: height } = this.pane;
    return Math.min((width - 2 * MARGIN) / this.page.width, (height - 2 * MARGIN) / this.page.height);
  }

  /** Until a picture of the page has come, be it on its way or broken. */
  get isLoading() { return this.pane.classList.contains("loading"); }

  get isPinched() { return this.pointers.size > 1; }

  get isZoomed() { return this.page !== null && this.view.scale > this.fitScale * 1.01; }

  zoomBy(factor, at = null) {
    if (!this.page) return;
    const scale = Math.min(Math.max(this.view.scale * factor, this.fitScale), this.fitScale * MOST);
    const point = at ?? { x: this.pane.clientWidth / 2, y: this.pane.clientHeight / 2 };
    const ratio = scale / this.view.scale;
    this.isFitted = scale <= this.fitScale * 1.001;
    if (this.isFitted) { this.fit(); return; }
    this.set({ scale, x: point.x - (point.x - this.view.x) * ratio, y: point.y - (point.y - this.view.y) * ratio });
  }

  panBy(dx, dy) {
    this.isFitted = false;
    this.set({ ...this.view, x: this.view.x + dx, y: this.view.y + dy });
  }

  /** Moves just far enough that the box is seen. */
  reveal(box) {
    const { scale, x, y } = this.view;
    const off = (start, size, room) => (start < MARGIN ? MARGIN - start : Math.min(0, room - MARGIN - start - size));
    const dx = off(x + box.x * scale, box.width * scale, this.pane.clientWidth);
    const dy = off(y + box.y * scale, box.height * scale, this.pane.clientHeight);
    if (dx || dy) this.panBy(dx, dy);
  }

  /** The point of the page under a pointer. */
  pointAt(event) {
    const frame = this.stage.getBoundingClientRect();
    return {
      x: ((event.clientX - frame.left) / frame.width) * this.page.width,
      y: ((event.clientY - frame.top) / frame.height) * this.page.height,
    };
  }

  set(view) {
    this.apply(view, this.isFitted);
    for (const other of this.linked) other.apply(this.view, this.isFitted);
  }

  apply(view, isFitted) {
    if (!this.page) return;
    this.isFitted = isFitted;
    const width = this.page.width * view.scale;
    const height = this.page.height * view.scale;
    this.view = {
      scale: view.scale,
      x: within(view.x, width, this.pane.clientWidth),
      y: within(view.y, height, this.pane.clientHeight),
    };
    this.stage.style.width = `${width}px`;
    this.stage.style.height = `${height}px`;
    this.stage.style.transform = `translate(${this.view.x}px, ${this.view.y}px)`;
    this.pane.classList.toggle("zoomed", this.isZoomed);
    this.sharpen(width);
  }

  /** Asks for the smallest picture that is sharp at this size; what is there stays until the better one has come. */
  sharpen(cssWidth) {
    const wanted = cssWidth * Math.min(devicePixelRatio || 1, 2);
    const width = WIDTHS.find((one) => one >= wanted) ?? WIDTHS.at(-1);
    if (width <= this.width) return;
    const { page } = this;
    if (!this.width) { this.load(page.number, width); return; }
    clearTimeout(this.sharpening);
    this.sharpening = setTimeout(() => this.exchange(page, width), 150);
  }

  /** ``isBroken`` from a picture that did not come until there is one, which is asked for more and more rarely. */
  load(number, width) {
    this.width = width;
    this.pane.classList.add("loading");
    this.picture.onload = this.picture.onerror = (event) => {
      clearTimeout(this.loadingAgain);
      this.isBroken = event.type === "error";
      this.pane.classList.toggle("loading", this.isBroken);
      if (!this.isBroken) return;
      this.loadingAgain = setTimeout(() => this.load(number, width), this.pause);
      this.pause = Math.min(2 * this.pause, AGAIN_AT_MOST_MS);
    };
    this.picture.src = this.address(number, width);
  }

  /** Pages of different documents have the same number: a picture that comes late is known by its page alone. */
  async exchange(page, width) {
    const better = new Image();
    better.src = this.address(page.number, width);
    try { await better.decode(); } catch { return; }
    if (this.page !== page || width <= this.width) return;
    this.width = width;
    this.picture.src = better.src;
  }

  listen() {
    const { pane } = this;
    pane.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    pane.addEventListener("pointerdown", (event) => this.pointerDown(event));
    pane.addEventListener("pointermove", (event) => this.pointerMove(event));
    for (const name of ["pointerup", "pointercancel"]) {
      pane.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
    pane.addEventListener("dblclick", (event) => {
      if (event.target.closest(".box") || this.claimsPointer(event)) return;
      if (this.isZoomed) this.fit();
      else this.zoomBy(2.5, this.inPane(event));
    });
    pane.addEventListener("keydown", (event) => this.keyDown(event));
  }

  inPane(event) {
    const frame = this.pane.getBoundingClientRect();
    return { x: event.clientX - frame.left, y: event.clientY - frame.top };
  }

  /** With Ctrl (or a pinch on a trackpad) it zooms; without, it moves a zoomed page and else scrolls the window. */
  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / (event.deltaMode ? 8 : 250)), this.inPane(event));
    } else if (this.isZoomed) {
      event.preventDefault();
      const unit = event.deltaMode ? 24 : 1;
      if (event.shiftKey) this.panBy(-event.deltaY * unit, 0);
      else this.panBy(-event.deltaX * unit, -event.deltaY * unit);
    }
  }

  /** A finger that somebody else claims moves nothing here by itself; beside another it zooms like any. */
  pointerDown(event) {
    const isClaimed = this.claimsPointer(event);
    if (!this.page || (event.pointerType !== "touch" && isClaimed)) return;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, isClaimed });
    this.pane.setPointerCapture?.(event.pointerId);
  }

  pointerMove(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = { ...before, x: event.clientX, y: event.clientY };
    this.pointers.set(event.pointerId, now);
    if (!this.isPinched) {
      if (this.isZoomed && !now.isClaimed) this.panBy(now.x - before.x, now.y - before.y);
      return;
    }
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
    const spread = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
    const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
    this.zoomBy(spread(now) / spread(before), this.inPane(middle));
  }

  keyDown(event) {
    if (event.target !== this.pane || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = 60;
    const pans = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const pan = pans[event.key];
    if (pan && this.isZoomed) this.panBy(...pan);
    else if (event.key === "PageDown" || event.key === "ArrowRight") this.onPage(1);
    else if (event.key === "PageUp" || event.key === "ArrowLeft") this.onPage(-1);
    else return;
    event.preventDefault();
  }
}

export function link(...viewers) {
  for (const one of viewers) one.linked = viewers.filter((other) => other !== one);
}

/** Centred when it fits, else never so far that a gap opens. */
function within(offset, size, room) {
  if (size + 2 * MARGIN <= room) return (room - size) / 2;
  return Math.min(MARGIN, Math.max(room - size - MARGIN, offset));
}

function surroundings(box, page) {
  const width = Math.min(page.width, Math.max(box.width * 2.2, page.width * 0.3));
  const height = Math.min(page.height, Math.max(box.height * 2.6, page.width * 0.2));
  const x = Math.min(Math.max(box.x + box.width / 2 - width / 2, 0), page.width - width);
  const y = Math.min(Math.max(box.y + box.height / 2 - height / 2, 0), page.height - height);
  return { x, y, width, height };
}
