// Page after page that needs a person: shown, decided or edited, and the next.
import { ApiProblem } from "../http.js";
import { drawBoxes, drawList, tie } from "./boxes.js";
import { Correcting, modelBoxes, readCorrection, writeCorrection } from "./correcting.js";
import { Shortcuts } from "./keys.js";
import { ReviewQueue, keyOf } from "./review_queue.js";
import { Viewer } from "./viewer.js";
import { count, learn, percent, t } from "./words.js";

const LOOK_AGAIN_MS = 10000;
const TRY_AGAIN_MS = 3000;
const HOLD_MS = 60000;
const root = document.getElementById("review");
const element = (name) => root.querySelector(`[data-part="${name}"]`);

class Review {
  constructor() {
    this.queue = new ReviewQueue({ current: () => this.current, usualWidth: () => this.closeUp.width || 1240 });
    this.current = null;
    this.last = null;
    this.decided = 0;
    this.isBusy = false;
    this.closeUp = this.viewer("close-up");
    this.whole = this.viewer("whole");
    this.closeUp.picture.addEventListener("error", () => this.tell(t("review.no_picture"), "warn"));
    this.list = element("list");
    tie([this.closeUp.stage, this.whole.stage], this.list, (key, part) => { if (part === this.list) this.reveal(key); });
    this.correcting = new Correcting({
      viewer: this.whole, list: this.list, bar: root.querySelector('[data-part="edit-bar"]'),
      say: (text) => { element("say").textContent = text; },
      onSaved: () => { this.isSaved = true; }, onClosed: () => this.editingEnded(),
    });
    this.listen();
    this.next();
    addEventListener("pagehide", () => this.queue.letGo());
    addEventListener("pageshow", (event) => { if (event.persisted && this.correcting.isIdle) this.next(); });
    // Asking again holds what is on the desk for as long as somebody sits at it.
    setInterval(() => { if (this.current && !document.hidden) this.fetchMore().catch(() => {}); }, HOLD_MS);
  }

  viewer(name) {
    return new Viewer(element(name), (number, width) => `/v1/jobs/${this.shown.item.job_id}/pages/${number}.jpg?width=${width}`);
  }

  listen() {
    const actions = {
      accept: () => this.decide(true), reject: () => this.decide(false), edit: () => this.edit(),
      later: () => this.later(), back: () => this.back(), keys: () => element("keys").showModal(),
    };
    for (const button of root.querySelectorAll("[data-do]")) {
      // The second click of a double click, and a held Enter, are about a page that nobody has seen yet.
      button.addEventListener("click", (event) => { if (event.detail < 2) actions[button.dataset.do](); });
      button.addEventListener("keydown", (event) => { if (event.repeat && event.key === "Enter") event.preventDefault(); });
    }
    const idle = (action) => () => (this.isFree && this.current ? action() : false);
    const editing = (action) => () => (this.correcting.isOpen ? action() : false);
    const zoom = (factor) => () => { this.zoomed().zoomBy(factor); };
    const { correcting } = this;
    new Shortcuts({
      a: idle(actions.accept), r: idle(actions.reject), e: idle(actions.edit), l: idle(actions.later),
      b: () => (this.isFree && this.last ? actions.back() : false),
      "+": zoom(1.4), "=": zoom(1.4), "-": zoom(1 / 1.4), 0: () => this.fit(), "?": actions.keys,
      n: editing(() => correcting.editor.add()), s: editing(() => { this.saveEdit(); }), Escape: editing(() => { correcting.close(); }),
      x: editing(() => correcting.state.sayNoSignature(!correcting.state.noSignature)),
      "ctrl+z": editing(() => correcting.undo()), "ctrl+y": editing(() => correcting.redo()),
      "ctrl+shift+z": editing(() => correcting.redo()), "ctrl+s": editing(() => { this.saveEdit(); }),
    }, element("shortcuts"));
    const save = root.querySelector('[data-edit="save"]');
    save.addEventListener("click", (event) => { event.stopImmediatePropagation(); this.saveEdit(); }, { capture: true });
  }

  /** Nothing is being sent, edited, or opened to be edited: what a person does now is about the page on the desk. */
  get isFree() { return !this.isBusy && this.correcting.isIdle; }

  zoomed() { return this.correcting.isOpen ? this.whole : this.closeUp; }

  /** More pages are read while this one is looked at. True when only those that were left for later wait. */
  async fetchMore() {
    const areLeftOnes = await this.queue.fetchMore();
    this.showWaiting();
    return areLeftOnes;
  }

  /** The next page onto the desk, from what is ready if there is any, unless somebody went back to one meanwhile. */
  async next() {
    this.current = null;
    let areLeftOnes = false;
    try {
      if (this.queue.isEmpty) areLeftOnes = await this.fetchMore();
    } catch (error) {
      this.cannotAsk(error);
      return;
    }
    if (this.current) return;
    const one = this.queue.take();
    if (!one) {
      // What was served has been corrected or erased meanwhile, and others may wait.
      if (this.queue.areServed) this.nextIn(TRY_AGAIN_MS);
      else this.rest();
      return;
    }
    if (areLeftOnes) this.tell(t("review.left_ones"), "good");
    this.show(one);
    this.fetchMore().catch(() => {});
  }

  cannotAsk(error) {
    if (error.status === 401) return; // on the way to the log-in page
    if (error.status === 403) { element("waiting").textContent = t("edit.forbidden"); return; }
    this.tell(t("review.offline"), "warn");
    this.nextIn(Math.max(TRY_AGAIN_MS, (error.retryAfterS ?? 0) * 1000));
  }

  nextIn(milliseconds) { setTimeout(() => { if (!this.current) this.next(); }, milliseconds); }

  /** Nothing to do: looks again now and then. */
  rest() {
    element("done").hidden = false;
    element("desk").hidden = true;
    const areWithOthers = this.queue.waiting > 0;
    element("nothing").hidden = areWithOthers;
    element("with-others").hidden = !areWithOthers;
    this.offerBack();
    root.dataset.phase = "done";
    this.nextIn(LOOK_AGAIN_MS);
  }

  show(one) {
    this.current = this.shown = one;
    const { item, page } = one;
    element("done").hidden = true;
    element("desk").hidden = false;
    const name = item.filename ?? t("unnamed");
    const label = t("page.of", { n: page.number, name });
    this.boxes = modelBoxes(page).filter((box) => box.level !== "weak");
    for (const viewer of [this.closeUp, this.whole]) {
      viewer.show(page, label);
      drawBoxes(viewer.stage.querySelector(".boxes"), this.boxes, page);
    }
    this.fit();
    drawList(this.list, this.boxes);
    element("question").textContent = item.unsure.length > 1 ? t("review.questions", { n: item.unsure.length }) : t("review.question");
    element("confidence").textContent = t("review.confidence", { share: percent(item.confidence) });
    element("name").textContent = name;
    element("page").textContent = t("review.page", { n: page.number });
    element("link").href = `/jobs/${item.job_id}#page=${page.number}`;
    this.offerBack();
    root.dataset.phase = "deciding";
    root.dataset.page = keyOf(item);
  }

  offerBack() {
    for (const button of root.querySelectorAll('[data-do="back"]')) button.disabled = !this.last;
  }

  fit() {
    if (this.correcting.isOpen) { this.whole.fit(); return; }
    const unsure = this.boxes.filter((box) => box.level === "unsure");
    this.closeUp.fit(unsure.length ? around(unsure) : null);
    this.whole.fit();
  }

  reveal(key) {
    const box = (this.correcting.isOpen ? this.correcting.state.boxes : this.boxes).find((one) => String(one.key) === key);
    if (box) this.zoomed().reveal(box);
  }

  /** Accepted: what was unsure is a signature. Rejected: it is none. What was sure stays either way.
   *  Until the picture has come, nothing is decided. */
  async decide(isAccepted) {
    if (!this.isFree || !this.current || this.closeUp.isLoading) return;
    this.isBusy = true;
    const one = this.current;
    const kept = this.boxes.filter((box) => isAccepted || box.level !== "unsure");
    const body = {
      boxes: kept.map(({ kind, detection, x, y, width, height }) => ({ kind, detection, box: { x, y, width, height } })),
      no_signature: !kept.some((box) => box.kind === "signature"),
    };
    try {
      one.tag = (await writeCorrection(one.item.job_id, one.page.number, one.tag, body)).tag;
      this.tell(`${t(isAccepted ? "review.accepted" : "review.rejected")}: ${one.item.filename ?? t("unnamed")}`, "good");
      this.finished(one);
    } catch (error) {
      await this.explain(error, one).catch(() => this.tell(t("review.failed"), "bad"));
    } finally {
      this.isBusy = false;
    }
  }

  finished(one) {
    if (!one.isDecided) this.decided += 1;
    one.isDecided = true;
    this.last = one;
    this.queue.decided(one.item);
    this.showWaiting();
    this.next();
  }

  async explain(error, one) {
    if (error.status === 403) { this.tell(t("edit.forbidden"), "bad"); return; }
    if (!(error instanceof ApiProblem) || ![404, 412].includes(error.status)) { this.tell(t("review.failed"), "bad"); return; }
    if (error.status === 404) { this.tell(t("review.gone"), "warn"); this.next(); return; }
    const { value } = await readCorrection(one.item.job_id, one.page.number);
    this.tell(t("review.taken", { author: value.correction.author }), "warn");
    this.next();
  }

  async later() {
    if (!this.isFree || !this.current) return;
    this.queue.skip(this.current.item);
    await this.next();
  }

  /** The page decided last, to be decided again: its correction is in force, so it is edited. */
  async back() {
    if (!this.isFree || !this.last) return;
    const before = this.current;
    const one = this.last;
    this.last = null;
    if (before) this.queue.putBack(before);
    this.show(one);
    await this.edit();
  }

  async edit() {
    if (!this.isFree || !this.current || this.closeUp.isBroken) return;
    try {
      if (!(await this.correcting.open(this.current.item.job_id, this.current.page))) return;
    } catch { this.tell(t("edit.not_opened"), "bad"); return; }
    root.classList.add("is-editing");
    root.dataset.phase = "editing";
    element("decisions").hidden = true;
    this.whole.resize();
    (this.whole.stage.querySelector(".box") ?? this.whole.pane).focus({ preventScroll: true });
  }

  async saveEdit() {
    if (await this.correcting.save()) await this.correcting.close();
  }

  editingEnded() {
    root.classList.remove("is-editing");
    element("decisions").hidden = false;
    const wasSaved = this.isSaved || this.shown.tag !== this.correcting.tag;
    this.isSaved = false;
    if (wasSaved) { this.shown.tag = this.correcting.tag; this.finished(this.shown); }
    else if (this.shown.isDecided) this.next();
    else this.show(this.shown);
  }

  showWaiting() {
    const parts = [count("review.waiting", this.queue.waiting)];
    if (this.decided) parts.push(count("review.done_here", this.decided));
    element("waiting").textContent = parts.join(" · ");
  }

  tell(text, colour) {
    const notice = element("notice");
    notice.textContent = text;
    notice.className = `notice toast ${colour}`;
    notice.hidden = false;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => { notice.hidden = true; }, 4000);
  }
}

/** The box around several. */
function around(boxes) {
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

learn(JSON.parse(document.getElementById("job-data").textContent).texts);
new Review();
