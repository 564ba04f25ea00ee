/* Bedside in a page of an EMR.  No dependencies; see docs/integration.md.
 *
 *   const panel = BedsideEmbed.open({
 *     container: element,                    // where the frame goes
 *     bedside: "https://bedside.hospital.example",
 *     url: "/embed/discharge_record?launch=…",   // of POST /v1/embed-sessions, made by your server
 *     map: { hospital_course: "course-field", "*": "whole-field" },
 *     context: { patient: { sex: "male", age_text: "58岁" }, fields: { chief_complaint: "…" } },
 *     write: (field, text) => { … return true; },   // false or an exception: it was not written
 *     onState: (state) => {}, onSections: (sections) => {}, onWritten: (what) => {}
 *   });
 *   panel.give(context);  panel.close();
 */
(function (scope) {
  "use strict";

  function open(options) {
    const base = new URL(options.bedside);
    const address = new URL(options.url, base);
    if (address.origin !== base.origin) throw new Error("url is not of the given Bedside");
    const frame = document.createElement("iframe");
    frame.title = "Bedside";
    frame.src = address.href;
    frame.allow = "clipboard-write " + base.origin;
    frame.referrerPolicy = "no-referrer";
    frame.style.cssText = "width:100%;height:100%;min-height:24rem;border:0";
    let context = options.context || {};
    let ready = false;

    function send(message) {
      if (frame.contentWindow) frame.contentWindow.postMessage(message, base.origin);
    }

    function give(changed) {
      if (changed) context = changed;
      if (ready) send({ type: "bedside.context", context: context });
    }

    async function fill(message) {
      const map = options.map || {};
      const told = [];
      let ok = false;
      let problem = "";
      try {
        const parts = Object.entries(message.fields || {}).filter(([name]) => map[name]);
        const wanted = parts.length ? parts.map(([name, text]) => [map[name], text])
          : map["*"] ? [[map["*"], message.text]] : [];
        for (const [field, text] of wanted) {
          if ((await options.write(field, text, message)) === false) throw new Error(field);
          told.push(field);
        }
        ok = told.length > 0;
      } catch (error) {
        problem = String((error && error.message) || error).slice(0, 200);
        ok = false;
      }
      send({ type: "bedside.written", id: message.id, draft: message.draft, ok: ok, fields: told });
      if (options.onWritten) options.onWritten({ draft: message.draft, ok: ok, fields: told, problem: problem });
    }

    function listen(event) {
      // Both: a page of the same origin in another frame may not speak for ours.
      if (event.origin !== base.origin || event.source !== frame.contentWindow) return;
      const message = event.data;
      if (!message || typeof message.type !== "string") return;
      if (message.type === "bedside.ready") { ready = true; give(); }
      if (message.type === "bedside.state" && options.onState) options.onState(message.state);
      if (message.type === "bedside.sections" && options.onSections) options.onSections(message.sections);
      if (message.type === "bedside.fill") fill(message);
    }

    scope.addEventListener("message", listen);
    options.container.replaceChildren(frame);
    return {
      frame: frame,
      give: give,
      close() { scope.removeEventListener("message", listen); frame.remove(); },
    };
  }

  scope.BedsideEmbed = { open: open };
})(window);
