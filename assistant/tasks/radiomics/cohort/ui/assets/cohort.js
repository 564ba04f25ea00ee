// A table: posted as it is, then named to the page, which reads it.
const zone = () => element.querySelector(".cohort-upload");

const post = async (file) => {
  const { does, failed } = zone().dataset;
  const told = zone().querySelector("[role=status]");
  told.textContent = "…";
  const headers = { "Content-Type": "application/octet-stream" };
  let message = "!";
  try {
    const answer = await fetch("pages/cohorts", { method: "POST", headers, body: file });
    const said = await answer.json();
    if (answer.ok) {
      told.textContent = "";
      trigger("click", { do: does, token: said.token, fields: {} });
      return;
    }
    message = said.detail ?? String(answer.status);
  } catch { /* told below */ }
  told.textContent = `${failed}${message}`;
};

element.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches(".cohort-upload input[type=file]") || !input.files.length) return;
  const [chosen] = input.files;
  input.value = "";
  post(chosen);
});
element.addEventListener("dragover", (event) => {
  if (zone()?.contains(event.target)) event.preventDefault();
});
element.addEventListener("drop", (event) => {
  if (!zone()?.contains(event.target)) return;
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) post(file);
});
