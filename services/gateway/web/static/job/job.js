// The page of an examined job: look, compare, correct.
import { localTimes } from "../page.js";
import { drawBoxes, drawList, tie } from "./boxes.js";
import { Correcting, modelBoxes, personBoxes } from "./correcting.js";
import { Shortcuts } from "./keys.js";
import { Others } from "./others.js";
import { Thumbnails } from "./thumbnails.js";
import { Viewer, link } from "./viewer.js";
import { learn, moment, t } from "./words.js";

const MANY_PAGES = 20;
const VIEWS = ["both", "boxed", "original"];
const root = document.getElementById("job");
const data = JSON.parse(document.getElementById("job-data").textContent);
const element = (name) => root.querySelector(`[data-part="${name}"]`);

class JobPage {
  constructor() {
    this.pages = new Map(data.pages.map((page) => [page.number, page]));
    const address = (number, width) => `/v1/jobs/${data.id}/pages/${number}.jpg?width=${width}`;
    this.original = new Viewer(element("original"), address);
    this.boxed = new Viewer(element("boxed"), address);
    link(this.original, this.boxed);
    this.list = element("list");
    this.correcting = data.canReview ? this.makeCorrecting() : null;
    this.thumbnails = new Thumbnails(element("thumbnails"), data.pages, address, (number) => this.go(number));
    this.whose = "person";
    this.others = new Others(data.id, this.pages, {
      onCorrection: (number, correction) => this.correctedElsewhere(number, correction),
      onGone: () => notify(t("edit.gone"), "bad"),
    });
    tie([this.boxed.stage], this.list, (key, part) => this.picked(key, part));
    this.listen();
    this.setView(matchMedia("(min-width: 75rem)").matches ? "both" : "boxed");
    this.show(this.asked() ?? data.first);
    this.boxed.picture.addEventListener("load", () => this.thumbnails.start(), { once: true });
    this.boxed.picture.addEventListener("error", () => this.thumbnails.start(), { once: true });
  }

  makeCorrecting() {
    return new Correcting({
      viewer: this.boxed,
      list: this.list,
      bar: element("edit-bar"),
      say,
      onSaved: (value) => this.saved(value),
      onClosed: () => { root.classList.remove("is-editing"); this.drawPage(); this.boxed.pane.focus({ preventScroll: true }); },
    });
  }

  asked() {
    const number = Number(/^#page=(\d+)$/.exec(location.hash)?.[1]);
    return this.pages.has(number) ? number : null;
  }

  listen() {
    const on = (name, action) => root.querySelector(`[data-do="${name}"]`)?.addEventListener("click", action);
    const actions = {
      in: () => this.seen.zoomBy(1.4), out: () => this.seen.zoomBy(1 / 1.4), fit: () => this.seen.fit(),
      before: () => this.go(this.number - 1), after: () => this.go(this.number + 1), edit: () => this.edit(),
      print: () => window.print(),
    };
    for (const [name, action] of Object.entries(actions)) on(name, action);
    for (const radio of root.querySelectorAll("input[name=view]")) radio.addEventListener("change", () => this.setView(radio.value));
    for (const radio of root.querySelectorAll("input[name=whose]")) {
      radio.addEventListener("change", () => { this.whose = radio.value; this.drawPage(); });
    }
    root.querySelector('a[href$="/annotated.pdf"]').addEventListener("click", () => {
      if (this.pages.size >= MANY_PAGES) notify(t("take_making", { n: this.pages.size }), "good");
    });
    element("number").addEventListener("change", (event) => this.go(Number(event.target.value)));
    this.boxed.onPage = this.original.onPage = (step) => this.go(this.number + step);
    addEventListener("hashchange", () => { const number = this.asked(); if (number) this.go(number); });
    this.shortcuts(actions);
  }

  shortcuts(actions) {
    const editing = (action) => () => (this.correcting?.isOpen ? action() : false);
    new Shortcuts({
      "+": actions.in, "=": actions.in, "-": actions.out, 0: actions.fit, j: actions.after, k: actions.before,
      e: actions.edit, v: () => this.setView(VIEWS[(VIEWS.indexOf(root.dataset.view) + 1) % VIEWS.length]),
      "?": () => element("keys").showModal(),
      n: editing(() => this.correcting.editor.add()), s: editing(() => { this.correcting.save(); }),
      x: editing(() => this.correcting.state.sayNoSignature(!this.correcting.state.noSignature)),
      Escape: editing(() => { this.correcting.close(); }),
      "ctrl+z": editing(() => this.correcting.undo()), "ctrl+y": editing(() => this.correcting.redo()),
      "ctrl+shift+z": editing(() => this.correcting.redo()), "ctrl+s": editing(() => { this.correcting.save(); }),
    }, element("shortcuts"));
    root.querySelector('[data-do="keys"]').addEventListener("click", () => element("keys").showModal());
  }

  get page() { return this.pages.get(this.number); }

  /** The viewer to zoom and to move: one that is not on screen has no size to go by. The other moves along. */
  get seen() { return root.dataset.view === "original" ? this.original : this.boxed; }

  setView(view) {
    root.dataset.view = view;
    for (const radio of root.querySelectorAll("input[name=view]")) radio.checked = radio.value === view;
    this.boxed.resize();
    this.original.resize();
  }

  /** To another page, once nothing unsaved is on this one. */
  async go(number) {
    if (!this.pages.has(number) || number === this.number) { element("number").value = this.number; return; }
    if (this.correcting && !(await this.correcting.close())) { element("number").value = this.number; return; }
    this.show(number);
    history.replaceState(null, "", `#page=${number}`);
  }

  show(number) {
    this.number = number;
    const label = t("page.of", { n: number, name: data.name });
    this.original.show(this.page, label);
    this.boxed.show(this.page, label);
    this.thumbnails.show(number);
    element("number").value = number;
    for (const link of root.querySelectorAll("[data-page-address]")) {
      link.href = link.dataset.pageAddress.replace("{n}", number);
      link.download = link.dataset.download.replace("{n}", number);
    }
    this.drawPage();
  }

  drawPage() {
    const { page } = this;
    const { correction } = page;
    const isPersons = correction && this.whose === "person";
    const boxes = isPersons ? personBoxes(correction) : modelBoxes(page);
    drawBoxes(element("boxes"), boxes, page);
    drawList(this.list, boxes);
    element("whose").hidden = !correction;
    element("none").hidden = boxes.length > 0;
    element("none").textContent = isPersons && correction.no_signature ? t("page.said_none") : t("page.nothing");
    const by = element("by");
    by.hidden = !correction;
    if (correction) by.textContent = t("page.corrected_by", { author: correction.author, when: moment(correction.saved_at) });
  }

  picked(key, part) {
    if (part === this.list) {
      const box = this.boxesShown().find((one) => String(one.key) === key);
      if (box) this.seen.reveal(box);
    } else {
      this.list.querySelector(`[data-key="${key}"]`)?.scrollIntoView({ block: "nearest" });
    }
  }

  boxesShown() {
    if (this.correcting?.isOpen) return this.correcting.state.boxes;
    const { correction } = this.page;
    return correction && this.whose === "person" ? personBoxes(correction) : modelBoxes(this.page);
  }

  async edit() {
    if (!this.correcting?.isIdle) return;
    if (root.dataset.view === "original") this.setView("boxed");
    try {
      if (!(await this.correcting.open(data.id, this.page))) return;
    } catch {
      this.correcting.tell(t("edit.not_opened"), "bad");
      return;
    }
    root.classList.add("is-editing");
    element("none").hidden = true;
    element("whose").hidden = true;
    (element("boxes").querySelector(".box") ?? this.boxed.pane).focus({ preventScroll: true });
    say(t("edit.begun"));
  }

  /** Somebody else's boxes are shown, unless this person is at work on that page: then saving asks which to keep. */
  correctedElsewhere(number, correction) {
    const page = this.pages.get(number);
    page.correction = correction;
    this.thumbnails.update(page);
    this.showSummary();
    const isBeingEdited = this.correcting?.isOpen && number === this.number;
    const facts = { n: number, author: correction.author };
    notify(t(isBeingEdited ? "others.while_editing" : "others.corrected", facts), isBeingEdited ? "warn" : "good");
    if (number === this.number && !isBeingEdited) this.drawPage();
  }

  saved(value) {
    this.page.correction = value.correction;
    this.thumbnails.update(this.page);
    this.showSummary();
  }

  async showSummary() {
    const answer = await fetch(`/jobs/${data.id}/summary`).catch(() => null);
    if (!answer?.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    element("summary").replaceChildren(...fresh.body.childNodes);
    localTimes(element("summary"));
  }
}

function notify(text, colour) {
  const notice = document.getElementById("page-notice");
  notice.textContent = text;
  notice.className = `notice toast ${colour}`;
  notice.hidden = false;
  clearTimeout(notify.telling);
  notify.telling = setTimeout(() => { notice.hidden = true; }, 8000);
}

function say(text) { element("say").textContent = text; }

learn(data.texts);
new JobPage();
