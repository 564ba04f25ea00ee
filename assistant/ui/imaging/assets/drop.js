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
  const files = [...event.dataTransfer.files];
  if (files.length) post(files);
});
