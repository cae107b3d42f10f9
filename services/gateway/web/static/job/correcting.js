// From the first change to the saved correction, and what happens when somebody else was quicker.
import { ApiProblem, api } from "../http.js";
import { drawList } from "./boxes.js";
import { EditState } from "./edit_state.js";
import { Editor } from "./editor.js";
import { count, moment, t } from "./words.js";

/** The model's boxes as the viewer and the editor want them. */
export function modelBoxes(page) {
  return page.detections.map((one, index) => ({
    key: index + 1, detection: one.id, kind: one.kind, confidence: one.confidence, level: one.level, ...one.box,
  }));
}

export function personBoxes(correction) {
  return correction.boxes.map((one, index) => ({
    key: index + 1, detection: one.detection, kind: one.kind, confidence: null, level: "person", ...one.box,
  }));
}

export function readCorrection(jobId, number) {
  return api(`/v1/jobs/${jobId}/pages/${number}/correction`).then(({ value, headers }) => ({ value, tag: headers.get("ETag") }));
}

export function writeCorrection(jobId, number, tag, body) {
  const path = `/v1/jobs/${jobId}/pages/${number}/correction`;
  return api(path, { method: "PUT", json: body, headers: { "If-Match": tag } })
    .then(({ value, headers }) => ({ value, tag: headers.get("ETag") }));
}

/** Opens a dialog and waits for the value of the button pressed ("" for Escape). */
export function ask(dialog) {
  return new Promise((resolve) => {
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
    dialog.showModal();
  });
}

export class Correcting {
  /** ``onSaved(value, tag)`` is told of every save, ``onClosed()`` of the end; ``onBoxes(boxes)`` of every change. */
  constructor({ viewer, list, bar, say, onSaved, onClosed, onBoxes = () => {} }) {
    Object.assign(this, { viewer, list, bar, say, onSaved, onClosed, onBoxes });
    this.editor = null;
    this.state = null;
    this.opening = null;
    this.saving = null;
    const on = (name, action) => bar.querySelector(`[data-edit="${name}"]`).addEventListener("click", action);
    on("new", (event) => (event.detail ? this.editor.arm(!this.editor.isDrawing) : this.editor.add()));
    on("undo", () => this.undo());
    on("redo", () => this.redo());
    on("model", () => this.startOver());
    on("save", () => this.save());
    on("close", () => this.close());
    this.none = bar.querySelector('[data-edit="none"]');
    this.none.addEventListener("change", () => this.state.sayNoSignature(this.none.checked));
  }

  get isOpen() { return this.editor !== null; }
  /** Neither open nor about to be. */
  get isIdle() { return !this.isOpen && !this.opening; }
  get isChanged() { return this.state !== null && this.isOpen && this.state.isChanged; }

  /** Starts from the correction in force, else from what the model found. ``page`` has the boxes' levels.
   *  False when it was closed before the answer had come: by then another page may be shown. */
  async open(jobId, page) {
    const asked = readCorrection(jobId, page.number);
    this.opening = asked;
    const { value, tag, error } = await asked.catch((fault) => ({ error: fault }));
    if (this.opening !== asked) return false;
    this.opening = null;
    if (error) throw error;
    this.start(jobId, page, value.correction, tag);
    return true;
  }

  start(jobId, page, correction, tag) {
    Object.assign(this, { jobId, page, tag });
    const boxes = correction ? personBoxes(correction) : this.foundByModel();
    this.state = new EditState(boxes, correction?.no_signature ?? false, () => this.changed());
    this.editor = new Editor(this.viewer, this.state, this.say);
    this.bar.hidden = false;
    this.restoreDraft();
    this.render();
  }

  undo() { if (this.state.undo()) this.say(t("edit.undone")); }
  redo() { if (this.state.redo()) this.say(t("edit.redone")); }

  /** Back to what the model found, as a step that can be undone. */
  startOver() { this.state.step({ boxes: this.foundByModel(), noSignature: false }); }

  foundByModel() { return modelBoxes(this.page).filter((box) => box.level !== "weak"); }

  changed() {
    this.keepDraft();
    this.render();
  }

  render() {
    this.editor.draw();
    const { state } = this;
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    const where = focused && [focused.closest("li").dataset.key, focused.dataset.control ?? "pick"];
    drawList(this.list, state.boxes, (box) => this.controls(box));
    if (where) this.list.querySelector(`[data-key="${where[0]}"] [data-control="${where[1]}"], [data-key="${where[0]}"] .pick`)?.focus();
    this.none.checked = state.noSignature;
    this.bar.querySelector('[data-edit="undo"]').disabled = !state.past.length;
    this.bar.querySelector('[data-edit="redo"]').disabled = !state.future.length;
    this.bar.querySelector("[data-edit-state]").textContent = state.isChanged ? t("edit.changed") : "";
    this.onBoxes(state.boxes);
  }

  controls(box) {
    const kinds = document.createElement("select");
    kinds.dataset.control = "kind";
    kinds.setAttribute("aria-label", t("edit.kind"));
    for (const kind of ["signature", "initials", "stamp"]) {
      kinds.add(new Option(t(`kind.${kind}`), kind, false, kind === box.kind));
    }
    kinds.addEventListener("change", () => this.state.change(box.key, { kind: kinds.value }));
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "small quiet";
    remove.dataset.control = "delete";
    remove.textContent = "✕";
    remove.title = t("edit.delete");
    remove.setAttribute("aria-label", t("edit.delete"));
    remove.addEventListener("click", () => this.editor.remove(box.key));
    return [kinds, remove];
  }

  /** True once it is saved. */
  async save() {
    if (this.saving) return false;
    const body = this.state.toBody();
    if (!body) {
      this.tell(t("edit.say_none"), "warn");
      this.none.focus();
      return false;
    }
    this.saving = this.send(body, this.state.now);
    try { return await this.saving; } finally { this.saving = null; }
  }

  async send(body, sent) {
    try {
      const { value, tag } = await writeCorrection(this.jobId, this.page.number, this.tag, body);
      this.dropDraft();
      this.tag = tag;
      this.state.markSaved(sent);
      this.tell(t("edit.saved"), "good");
      this.onSaved(value, tag);
      return true;
    } catch (error) {
      await this.explain(error).catch(() => this.tell(t("edit.not_saved"), "bad"));
      return false;
    }
  }

  async explain(error) {
    if (error instanceof ApiProblem && error.code === "precondition_failed") await this.settle();
    else if (error instanceof ApiProblem && error.status === 404) this.tell(t("edit.gone"), "bad");
    else if (error instanceof ApiProblem && error.status === 403) this.tell(t("edit.forbidden"), "bad");
    else if (error instanceof ApiProblem && error.status === 422) this.tell(error.body.errors?.[0]?.detail ?? error.message, "bad");
    else this.tell(t("edit.not_saved"), "bad");
  }

  /** Somebody saved meanwhile: theirs can be looked at, and one's own comes back with Undo. Nothing is lost. */
  async settle() {
    const { value, tag } = await readCorrection(this.jobId, this.page.number);
    const dialog = document.getElementById("conflict-dialog");
    const theirs = value.correction;
    const facts = { author: theirs.author, when: moment(theirs.saved_at), boxes: count("boxes", theirs.boxes.length) };
    dialog.querySelector("[data-text]").textContent = t("conflict.text", facts);
    if ((await ask(dialog)) !== "theirs") return;
    this.tag = tag;
    this.state.step({ boxes: personBoxes(theirs), noSignature: theirs.no_signature });
    this.tell(t("conflict.shown"), "good");
  }

  /** False when the person stays. What is being saved has to have an answer first. */
  async close() {
    this.opening = null;
    if (this.saving && !(await this.saving)) return false;
    if (!this.isOpen) return true;
    if (this.isChanged) {
      const answer = await ask(document.getElementById("leave-dialog"));
      if (answer === "save" && !(await this.save())) return false;
      if (answer !== "save" && answer !== "discard") return false;
    }
    this.dropDraft();
    if (this.isChanged) document.getElementById("edit-notice").hidden = true;
    this.editor.end();
    this.editor = null;
    this.bar.hidden = true;
    this.onClosed();
    return true;
  }

  tell(text, colour) {
    const notice = document.getElementById("edit-notice");
    notice.textContent = text;
    notice.className = `notice toast ${colour}`;
    notice.hidden = false;
    clearTimeout(this.telling);
    if (colour === "good") this.telling = setTimeout(() => { notice.hidden = true; }, 4000);
  }

  // What is not saved survives a session that ends: it comes back when the same person logs in, unless the page has changed.
  get draftName() { return `paraphe-draft ${document.body.dataset.account} ${this.jobId} ${this.page.number} ${this.tag}`; }

  keepDraft() {
    try {
      if (this.state.isChanged) sessionStorage.setItem(this.draftName, JSON.stringify(this.state.now));
      else sessionStorage.removeItem(this.draftName);
    } catch { /* then a draft does not survive */ }
  }

  dropDraft() { try { sessionStorage.removeItem(this.draftName); } catch { /* nothing to drop */ } }

  restoreDraft() {
    let draft = null;
    try { draft = JSON.parse(sessionStorage.getItem(this.draftName)); } catch { return; }
    if (!draft) return;
    this.state.step(draft);
    this.tell(t("edit.restored"), "good");
  }
}
