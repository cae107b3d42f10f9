// The pages that wait for this reviewer: held for them at the server, read ahead so that each can be shown at once.
import { ApiProblem, api, sendOnLeaving } from "../http.js";
import { readCorrection } from "./correcting.js";

const AHEAD = 2;
export const keyOf = (item) => `${item.job_id} ${item.page}`;

export class ReviewQueue {
  /** `current` tells which page is on the desk now, `usualWidth` how wide, in pixels, page pictures will be shown. */
  constructor({ current, usualWidth }) {
    this.current = current;
    this.usualWidth = usualWidth;
    this.ready = [];
    this.skipped = [];
    this.areServed = false;
    this.asked = null;
  }

  get isEmpty() { return !this.ready.length; }

  take() { return this.ready.shift(); }

  putBack(one) { this.change([one, ...this.ready]); }

  /** What was asked for before is out of date. */
  change(ready) {
    this.ready = ready;
    this.asked = null;
  }

  /** Not now: this page comes again when the others are done. */
  skip({ job_id, page }) {
    this.skipped.push({ job_id, page });
    this.change([]);
  }

  /** A decided document takes its other pages out of the queue: those of it that are ready are asked for anew. */
  decided(item) {
    this.waiting = Math.max(0, (this.waiting ?? 1) - 1);
    this.change(this.ready.filter((other) => other.item.job_id !== item.job_id));
  }

  /** Others are served at once what this reviewer leaves; a request that is lost costs two minutes, no more. */
  letGo() {
    const held = [this.current(), ...this.ready].filter(Boolean).map(({ item }) => ({ job_id: item.job_id, page: item.page }));
    if (held.length) sendOnLeaving("/v1/review/release", { pages: held });
    this.change([]);
  }

  /** Asks the server for pages beside the one on the desk, which may change meanwhile, and reads each of them.
   *  Once all others are done it asks for those that were skipped, and says so: true. */
  async fetchMore() {
    const asked = Symbol("asked");
    this.asked = asked;
    let value = await this.ask(this.skipped.slice(-200));
    const areSkipped = this.asked === asked && !value.pages.length && this.skipped.length > 0;
    if (areSkipped) value = await this.ask([]);
    if (this.asked !== asked) return false;
    this.waiting = value.waiting;
    this.areServed = value.pages.length > 0;
    const known = new Map(this.ready.map((one) => [keyOf(one.item), one]));
    const current = this.current();
    const found = value.pages.filter((item) => !current || keyOf(item) !== keyOf(current.item));
    const ready = (await Promise.all(found.map((item) => known.get(keyOf(item)) ?? this.prepare(item)))).filter(Boolean);
    if (this.asked !== asked) return false;
    this.ready = ready;
    if (areSkipped) this.skipped = [];
    return areSkipped;
  }

  async ask(skip) {
    const { value } = await api("/v1/review/next", { method: "POST", json: { count: AHEAD, skip } });
    return value;
  }

  /** The page with its boxes; null when somebody has corrected it meanwhile, and when there is none any more. */
  async prepare(item) {
    try {
      const { value, tag } = await readCorrection(item.job_id, item.page);
      if (value.correction) return null;
      const unsure = new Set(item.unsure);
      const lowest = Math.min(...value.detections.filter((one) => unsure.has(one.id)).map((one) => one.confidence));
      for (const one of value.detections) {
        if (one.kind !== "signature") one.level = "other";
        else if (unsure.has(one.id)) one.level = "unsure";
        else one.level = one.confidence >= lowest ? "sure" : "weak";
      }
      const picture = new Image();
      picture.src = `/v1/jobs/${item.job_id}/pages/${item.page}.jpg?width=${this.usualWidth()}`;
      return { item, page: value, tag, picture };
    } catch (error) {
      if (error instanceof ApiProblem && [404, 409].includes(error.status)) return null;
      throw error;
    }
  }
}
