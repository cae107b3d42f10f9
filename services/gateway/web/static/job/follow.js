// A job that is not done yet: follows its events, and shows the page anew once there is an outcome.
import { api } from "../http.js";

const root = document.getElementById("job");
const OUTCOMES = ["job.succeeded", "job.failed", "job.canceled", "job.erased"];
const AGAIN_MS = 3000;

function follow(id) {
  const events = new EventSource(`/v1/jobs/${id}/events`);
  const told = root.querySelector("[data-told]");
  const tell = (name) => {
    told.textContent = told.dataset[name];
    root.dataset.state = name;
  };
  events.addEventListener("job.started", () => tell("started"));
  // The steps of earlier runs come along; the last one told is how it stands.
  events.addEventListener("job.replayed", () => tell("queued"));
  events.addEventListener("job.requeued", () => tell("requeued"));
  for (const name of OUTCOMES) {
    events.addEventListener(name, async () => {
      if (!(await isOver(id))) return;
      events.close();
      location.reload();
    });
  }
  // A connection that broke is renewed by the browser; one that was refused is not.
  events.addEventListener("error", () => { if (events.readyState === EventSource.CLOSED) followAgain(id); });
}

/** Refused while we restart, or for good: of a job that is gone the page tells when it is shown anew. */
async function followAgain(id) {
  await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
  try {
    await api(`/v1/jobs/${id}`);
  } catch (error) {
    if (error.status === 404) { location.reload(); return; }
  }
  follow(id);
}

/** A replayed job's earlier outcome comes along with its later events: only the job itself knows. */
async function isOver(id) {
  try {
    const { value } = await api(`/v1/jobs/${id}`);
    return !["queued", "processing"].includes(value.status);
  } catch { return true; }
}

async function press(button) {
  button.disabled = true;
  const notice = root.querySelector("[data-fault]");
  try {
    await api(button.dataset.post, { method: button.dataset.method ?? "POST" });
    if (button.dataset.then) location.assign(button.dataset.then);
    else location.reload();
  } catch {
    notice.hidden = false;
    button.disabled = false;
  }
}

for (const button of root.querySelectorAll("[data-post]")) {
  button.addEventListener("click", () => {
    if (!button.dataset.confirm || confirm(button.dataset.confirm)) press(button);
  });
}
if (root.dataset.follow) follow(root.dataset.follow);
