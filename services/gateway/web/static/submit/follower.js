// Follows many jobs over one connection: opened anew, shortly after, whenever the set has changed.
const GATHER_MS = 150;

export class Follower {
  #most;
  #onJob;
  #onChange;
  #ids = new Set();
  #source = null;
  #timer = 0;

  constructor(most, onJob, onChange) {
    this.#most = most;
    this.#onJob = onJob;
    this.#onChange = onChange;
  }

  add(id) {
    this.#ids.add(id);
    this.#openSoon();
  }

  #openSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), GATHER_MS);
  }

  #open() {
    this.#source?.close();
    this.#source = null;
    // The oldest first: those are examined first, and each that ends makes room for another.
    const followed = [...this.#ids].slice(0, this.#most);
    if (!followed.length) return;
    const query = new URLSearchParams(followed.map((id) => ["job", id]));
    this.#source = new EventSource(`/v1/progress?${query}`);
    this.#source.addEventListener("job", (event) => this.#tell(JSON.parse(event.data)));
    this.#source.addEventListener("gone", (event) => this.#ids.delete(JSON.parse(event.data).id));
    this.#source.addEventListener("end", () => this.#open());
    this.#source.addEventListener("error", () => {
      // A connection that broke is renewed by the browser; one that was refused is not.
      if (this.#source?.readyState === EventSource.CLOSED) setTimeout(() => this.#openSoon(), 3000);
    });
  }

  #tell(job) {
    if (["succeeded", "failed", "canceled"].includes(job.status)) this.#ids.delete(job.id);
    this.#onJob(job);
    this.#onChange();
  }
}
