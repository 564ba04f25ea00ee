// Files of a study: posted one by one for the patient of the form, then listed.
const zone = () => element.querySelector(".study-upload");
const inBox = (id) => document.querySelector(`#${id} input, #${id} textarea`)?.value.trim() ?? "";

const post = async (files) => {
  const { task, failed, needs } = zone().dataset;
  const told = zone().querySelector("[role=status]");
  const patient = inBox(`${task}-patient`);
  const encounter = inBox(`${task}-encounter`);
  if (!patient) { told.textContent = needs; return; }
  const headers = { "X-Patient-Id": patient, "X-Encounter-Id": encounter,
    "Content-Type": "application/octet-stream" };
  let kept = 0;
  for (const [number, file] of files.entries()) {
    told.textContent = `${number + 1} / ${files.length}`;
    let message = "";
    try {
      const answer = await fetch("pages/studies", { method: "POST", headers, body: file });
      const said = await answer.json();
      if (answer.ok) kept += said.kept;
      else message = said.detail ?? String(answer.status);
    } catch {
      message = "!";
    }
    if (message) {
      told.textContent = `${failed}${file.name} ${message}`;
      return;
    }
  }
  trigger("click", { do: "dropped", patient, encounter, kept, fields: {} });
};

// The files of what was dropped, with those of folders and of folders in them.
const filesOf = async (entries) => {
  const found = [];
  for (const entry of entries) {
    if (entry.isFile) {
      found.push(await new Promise((done, failed) => entry.file(done, failed)));
    } else {
      const reader = entry.createReader();
      // It gives a hundred at a time, and an empty list at the end.
      for (;;) {
        const some = await new Promise((done, failed) => reader.readEntries(done, failed));
        if (!some.length) break;
        found.push(...(await filesOf(some)));
      }
    }
  }
  return found;
};

element.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches(".study-upload input[type=file]") || !input.files.length) return;
  const chosen = [...input.files];
  input.value = "";
  post(chosen);
});
element.addEventListener("dragover", (event) => {
  if (zone()?.contains(event.target)) event.preventDefault();
});
element.addEventListener("drop", (event) => {
  if (!zone()?.contains(event.target)) return;
  event.preventDefault();
  // Entries are only there while the event is handled.
  const entries = [...event.dataTransfer.items].map((one) => one.webkitGetAsEntry()).filter(Boolean);
  filesOf(entries).then((files) => files.length && post(files));
});
