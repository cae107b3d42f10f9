// What other people correct while this page is open: asked for when one comes back to it, and now and then.
import { ApiProblem, api } from "../http.js";
import { readCorrection } from "./correcting.js";

const LOOK_EVERY_MS = 10000;

export class Others {
  /** ``onCorrection(number, correction)`` is told of every correction newer than the page's, ``onGone()`` of the end. */
  constructor(jobId, pages, { onCorrection, onGone }) {
    Object.assign(this, { jobId, pages, onCorrection, onGone });
    this.last = 0;
    this.isLooking = false;
    const look = () => { if (!document.hidden) this.look(); };
    this.timer = setInterval(look, LOOK_EVERY_MS);
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
  }

  async look() {
    if (this.isLooking || !this.timer) return;
    this.isLooking = true;
    try {
      const { value } = await api(`/v1/jobs/${this.jobId}/events`, { headers: { "Last-Event-ID": String(this.last) } });
      const events = value?.events ?? [];
      for (const number of this.news(events)) await this.read(number);
      // Not before: what could not be read is asked for again.
      this.last = Math.max(this.last, ...events.map((one) => one.sequence));
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 404) this.end();
    } finally {
      this.isLooking = false;
    }
  }

  /** Numbers of the pages corrected since, one's own corrections left out. */
  news(events) {
    const corrected = events.filter((one) => one.kind === "job.corrected").map((one) => one.data);
    return new Set(corrected.filter(({ page, version }) => this.isNewer(page, version)).map((one) => one.page));
  }

  isNewer(number, version) { return version > (this.pages.get(number)?.correction?.version ?? 0); }

  async read(number) {
    const { correction } = (await readCorrection(this.jobId, number)).value;
    if (correction && this.isNewer(number, correction.version)) this.onCorrection(number, correction);
  }

  end() {
    clearInterval(this.timer);
    this.timer = null;
    this.onGone();
  }
}
