// The submit page: files in, rows on the screen, each told how it goes.
import { atWork, stayWhile } from "../idle.js";
import { filesDropped, filesPasted } from "./dropped.js";
import { Follower } from "./follower.js";
import { Row } from "./row.js";
import { texts, fill } from "./texts.js";
import { upload, fault } from "./upload.js";

const LIMITS = JSON.parse(document.getElementById("limits").textContent);
const AT_ONCE = 3;
const FEW = 5; // a person waits for a few files; a pile goes behind those
const byId = (id) => document.getElementById(id);

const rows = [];
const waiting = [];
let uploading = 0;
const follower = new Follower(LIMITS.followed, {
  onJob: (job) => { rowOf(job.id)?.show(job); summarize(); },
  onGone: (id) => { rowOf(id)?.gone(); summarize(); },
});

function rowOf(jobId) { return rows.find((row) => row.jobId === jobId); }

function add(files) {
  const chosen = [...files];
  if (!chosen.length) return;
  byId("queue").hidden = false;
  const unfinished = rows.filter((row) => !row.isOver).length;
  const options = readOptions(chosen.length);
  for (const [index, file] of chosen.entries()) {
    const row = new Row(file, { onRetry: () => enqueue(row), onChange: summarize });
    rows.push(row);
    byId("list").prepend(row.element);
    row.options = options;
    if (unfinished + index >= LIMITS.files) row.fail(fill(texts["submit.js.too_many"], { n: LIMITS.files }), false);
    else if (file.size === 0) row.fail(texts["failure.empty_document"], false);
    else if (file.size > LIMITS.bytes) row.fail(fill(texts["submit.js.too_large"], { size: LIMITS.size }), false);
    else enqueue(row);
  }
  summarize();
}

function readOptions(count) {
  const reference = byId("reference").value.trim();
  return {
    priority: count <= FEW ? "interactive" : "normal",
    requirements: JSON.stringify({ min_signatures: Math.min(100, Math.max(1, Math.trunc(Number(byId("min").value)) || 1)) }),
    metadata: JSON.stringify(reference ? { reference } : {}),
    training_consent: String(byId("consent").checked),
  };
}

function enqueue(row) {
  row.wait();
  waiting.push(row);
  next();
}

function next() {
  while (uploading < AT_ONCE && waiting.length) {
    uploading += 1;
    const row = waiting.shift();
    send(row).finally(() => { uploading -= 1; next(); });
  }
}

async function send(row) {
  try {
    const job = await upload(row.file, row.key, row.options, (share) => { atWork(); row.progress(share); });
    atWork();
    row.accepted(job);
    if (!row.isOver) follower.add(job.id);
  } catch (error) {
    // None of the others would be taken either.
    if (error.code === "unauthenticated") for (const one of [row, ...waiting.splice(0)]) one.failLoggedOut();
    else row.fail(fault(error), error.mayTryAgain !== false);
  }
  summarize();
}

/** Whether leaving would lose a file. */
function isUnsent() { return uploading > 0 || waiting.length > 0 || rows.some((row) => row.mayTryAgain); }

function summarize() {
  const done = rows.filter((row) => row.isDone).length;
  const failed = rows.filter((row) => row.mayTryAgain).length;
  const size = rows.reduce((sum, row) => sum + row.file.size, 0);
  byId("summary").textContent = fill(texts["submit.js.summary"], { done, all: rows.length, size: Row.size(size) });
  byId("retry-all").hidden = failed < 2;
  byId("clear").hidden = done === 0;
  byId("queue").hidden = rows.length === 0;
}

function clear() {
  for (const row of rows.filter((one) => one.isDone)) {
    row.element.remove();
    rows.splice(rows.indexOf(row), 1);
  }
  summarize();
}

function setUpDrop(drop) {
  let depth = 0; // enter and leave come for every child
  const show = () => drop.classList.toggle("over", depth > 0);
  addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; show(); });
  addEventListener("dragleave", () => { depth -= 1; show(); });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    depth = 0;
    show();
    add(await filesDropped(event.dataTransfer));
  });
}

function take(input) {
  add(input.files);
  input.value = "";
}

for (const id of ["files", "camera"]) {
  byId(id).addEventListener("change", (event) => take(event.target));
  take(byId(id)); // what was chosen before this script was there
}
addEventListener("paste", (event) => add(filesPasted(event)));
byId("submit-form").addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", clear);
byId("retry-all").addEventListener("click", () => rows.filter((row) => row.mayTryAgain).forEach(enqueue));
addEventListener("beforeunload", (event) => { if (isUnsent()) event.preventDefault(); });
stayWhile(isUnsent);
setUpDrop(byId("drop"));
