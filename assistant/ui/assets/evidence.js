// The viewer of evidence, of which a page has one.  It is part of the script of every card.
// Text from records and models is only ever set through textContent, numbers through Number().
const evidenceCard = () => {
  let found = document.getElementById("evidence-card");
  if (!found) {
    found = document.createElement("div");
    found.id = "evidence-card";
    found.setAttribute("popover", "auto");
    found.setAttribute("role", "note");
    const picture = document.createElement("figure");
    picture.hidden = true;
    found.append(document.createElement("b"), document.createElement("p"), picture);
    document.body.append(found);
  }
  return found;
};

const rangeOf = (note, start, end) => {
  const range = document.createRange();
  const walker = document.createTreeWalker(note, NodeFilter.SHOW_TEXT);
  let seen = 0;
  let started = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    let unit = 0;
    for (const point of node.data) {
      if (seen === start) { range.setStart(node, unit); started = true; }
      unit += point.length;
      seen += 1;
      if (started && seen === end) { range.setEnd(node, unit); return range; }
    }
  }
  return null;
};

const highlight = (chip) => {
  const { record, note, start, end } = chip.dataset;
  const shown = document.querySelector(`[data-record-name="${CSS.escape(record)}"]`);
  if (!shown) return null;
  const panel = shown.closest("[role=tabpanel]");
  const tab = panel && panel.id ? document.getElementById(`${panel.id}-button`) : null;
  if (tab && tab.getAttribute("aria-selected") === "false") tab.click();
  const place = shown.querySelector(`[data-note-name="${CSS.escape(note)}"]`);
  const range = place && rangeOf(place, Number(start), Number(end));
  if (!range) return null;
  for (let up = place.closest("details"); up; up = up.parentElement.closest("details")) up.open = true;
  if (window.Highlight && CSS.highlights) CSS.highlights.set("evidence", new Highlight(range));
  shown.dataset.highlighted = range.toString();
  requestAnimationFrame(() => {
    const frame = shown.closest(".scrolls");
    const box = range.getBoundingClientRect();
    if (!frame) return;
    const outer = frame.getBoundingClientRect();
    frame.scrollTop += box.top - outer.top - outer.height / 3;
  });
  return range;
};

// The picture is fetched as any other part of the record is: in the context of its patient.
const fetched = async (chip) => {
  const answer = await fetch(chip.dataset.picture, {
    headers: { "X-Patient-Id": chip.dataset.patient, "X-Encounter-Id": chip.dataset.encounter },
  });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const image = new Image();
  image.alt = "";
  image.src = URL.createObjectURL(await answer.blob());
  await image.decode();
  return image;
};

const boxOn = (image, [x, y, width, height]) => {
  const box = document.createElement("div");
  box.className = "evidence-box";
  const across = 100 / image.naturalWidth;
  const down = 100 / image.naturalHeight;
  box.style.left = `${x * across}%`;
  box.style.top = `${y * down}%`;
  box.style.width = `${width * across}%`;
  box.style.height = `${height * down}%`;
  return box;
};

const showPicture = async (chip, figure) => {
  const old = figure.querySelector("img");
  if (old) URL.revokeObjectURL(old.src);
  figure.replaceChildren();
  figure.hidden = !chip.dataset.picture;
  figure.dataset.shown = chip.dataset.picture || "";
  if (figure.hidden) return;
  try {
    const image = await fetched(chip);
    if (figure.dataset.shown !== chip.dataset.picture) return URL.revokeObjectURL(image.src);
    const box = boxOn(image, chip.dataset.box.split(" ").map(Number));
    const page = document.createElement("div");
    page.className = "evidence-page";
    page.append(image, box);
    figure.replaceChildren(page);
  } catch {
    if (figure.dataset.shown === chip.dataset.picture) figure.textContent = chip.dataset.missing;
  }
};

const evidence = (chip) => {
  if (chip.dataset.record) highlight(chip);
  const within = chip.closest("[data-card]");
  if (within && chip.dataset.passage) {
    const wanted = `[data-passage-name="${CSS.escape(chip.dataset.passage)}"]`;
    for (const passage of within.querySelectorAll(wanted)) {
      passage.open = true;
      openness.set(passage.dataset.key, true);
    }
  }
  explain(chip, chip.dataset.place, chip.dataset.quote);
};

const putBeside = (shown, chip) => {
  const box = chip.getBoundingClientRect();
  const figure = shown.children[2];
  figure.style.maxHeight = "";
  const below = window.innerHeight - box.bottom - 14;
  const above = box.top - 14;
  const under = shown.offsetHeight < below || below >= above;
  // A tall picture scrolls, so that the chips beside this one can still be reached.
  const over = shown.offsetHeight - (under ? below : above);
  if (over > 0) figure.style.maxHeight = `${Math.max(140, figure.offsetHeight - over)}px`;
  const left = Math.max(8, Math.min(box.left, window.innerWidth - shown.offsetWidth - 8));
  const top = under ? box.bottom + 6 : box.top - shown.offsetHeight - 6;
  shown.style.left = `${left}px`;
  shown.style.top = `${Math.max(8, top)}px`;
};

const explain = (chip, place, quote) => {
  const shown = evidenceCard();
  shown.children[0].textContent = place;
  shown.children[1].textContent = quote;
  const figure = shown.children[2];
  const ready = showPicture(chip, figure);
  if (!shown.matches(":popover-open")) shown.showPopover();
  putBeside(shown, chip);
  if (!figure.hidden) ready.then(() => {
    putBeside(shown, chip);
    const box = figure.querySelector(".evidence-box");
    if (box) figure.scrollTop = box.offsetTop - figure.clientHeight / 3;
  });
};

