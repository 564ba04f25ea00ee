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
    "X-Modality": zone().querySelector("select").value,
    "Content-Type": "application/octet-stream" };
  // A mask that came before its image is posted again when all others are there.
  let waiting = [...files.entries()];
  let kept = 0;
  for (let last = false; waiting.length; last = true) {
    const later = [];
    for (const [number, file] of waiting) {
      told.textContent = `${number + 1} / ${files.length}`;
      let message = "";
      try {
        const answer = await fetch("pages/studies", { method: "POST", headers, body: file });
        const said = await answer.json();
        if (!answer.ok) message = typeof said.detail === "string" ? said.detail : answer.status;
        else if (!said.later) kept += said.kept;
        else if (last) message = said.later;
        else later.push([number, file]);
      } catch {
        message = "!";
      }
      if (message) {
        // The name of a file may be a patient's.
        told.textContent = `${failed.replace("{n}", number + 1)}${message}`;
        return;
      }
    }
    waiting = later;
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
