// The page for the patient is a frame without scripts; printing it (or saving it as PDF) is the browser's.
inPage.print = (button) => {
  const frame = document.getElementById(button.dataset.target);
  if (!frame || !frame.contentWindow) return;
  frame.contentWindow.focus();
  frame.contentWindow.print();
};
