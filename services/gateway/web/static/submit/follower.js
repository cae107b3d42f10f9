// Follows many jobs over one connection: opened anew, shortly after, whenever the set has changed.
const GATHER_MS = 150;
const LEAST_MS = 1000; // from one connection to the next, while one job after the other comes or ends
const AGAIN_MS = 3000;

export class Follower {
  #most;
  #onJob;
  #onGone;
  #ids = new Set();
  #source = null;
  #timer = 0;
  #openedAt = -LEAST_MS;

  /** ``onJob(job)`` is told of every job as it is now, and of every change; ``onGone(id)`` of one that was erased. */
  constructor(most, { onJob, onGone }) {
    this.#most = most;
    this.#onJob = onJob;
    this.#onGone = onGone;
  }

  add(id) {
    this.#ids.add(id);
    if (this.#ids.size <= this.#most) this.#openSoon();
  }

  #openSoon() {
    this.#timer ||= setTimeout(() => this.#open(), Math.max(GATHER_MS, this.#openedAt + LEAST_MS - performance.now()));
  }

  #open() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#openedAt = performance.now();
    this.#source?.close();
    this.#source = null;
    // The oldest first: those are examined first, and each that ends makes room for another.
    const followed = [...this.#ids].slice(0, this.#most);
    if (!followed.length) return;
    const query = new URLSearchParams(followed.map((id) => ["job", id]));
    this.#source = new EventSource(`/v1/progress?${query}`);
    this.#source.addEventListener("job", (event) => this.#tell(JSON.parse(event.data)));
    this.#source.addEventListener("gone", (event) => this.#lose(JSON.parse(event.data).id));
    this.#source.addEventListener("end", () => this.#open());
    this.#source.addEventListener("error", () => {
      // A connection that broke is renewed by the browser; one that was refused is not.
      if (this.#source?.readyState === EventSource.CLOSED) setTimeout(() => this.#openSoon(), AGAIN_MS);
    });
  }

  #tell(job) {
    if (["succeeded", "failed", "canceled"].includes(job.status)) this.#drop(job.id);
    this.#onJob(job);
  }

  #lose(id) {
    this.#drop(id);
    this.#onGone(id);
  }

  #drop(id) {
    // Told again when the connection is renewed: only the first time there is room for one that waited for it.
    if (this.#ids.delete(id) && this.#ids.size >= this.#most) this.#openSoon();
  }
}
