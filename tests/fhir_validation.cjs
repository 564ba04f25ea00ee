// Validates resources, one JSON a line, against HL7's R4 profiles with the npm package "fhir"
// (which is not installed with the project).  node tests/fhir_validation.cjs FILE
const { readFileSync } = require("fs");
const { Fhir } = require("fhir");

const fhir = new Fhir();
const lines = readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean);
const kinds = {};
let bad = 0;
for (const line of lines) {
  const resource = JSON.parse(line);
  kinds[resource.resourceType] = (kinds[resource.resourceType] || 0) + 1;
  const found = fhir.validate(resource, { errorOnUnexpected: true });
  const errors = found.messages.filter((m) => ["fatal", "error"].includes(m.severity));
  if (!found.valid || errors.length) {
    bad += 1;
    for (const m of errors.slice(0, 5)) console.log(resource.resourceType, m.location, m.message);
  }
}
console.log(JSON.stringify({ resources: lines.length, kinds, bad }));
process.exit(bad ? 1 : 0);
