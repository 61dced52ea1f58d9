// A picture to be chosen, dropped, pasted or photographed. Large ones are scaled here, before they
// are sent; nothing is kept when the page is left.

import { base64 } from "./base64.js";
import { announce, el } from "./dom.js";
import { takeFiles } from "./file_drop.js";
import { FormError } from "./form_error.js";

const LONGEST_SIDE = 1024; // pixels; models look at far fewer
const MOST_BYTES = 400_000; // of a file that is sent as it is
const AS_THEY_ARE = ["image/jpeg", "image/png", "image/gif", "image/bmp"];
const QUALITY = 0.92;
const EXAMPLE = "example.jpg";

/**
 * The field. `picture()` gives `{bitmap, base64, name}`, or throws a FormError if there is none.
 *
 * @returns {{elements: Node[], picture: () => object}}
 */
export function pictureField() {
  let picture = null;
  let problem = "Choose a picture first: drop one here, paste one, or take an example.";
  let newest = 0;
  const preview = el("canvas", { class: "picture", role: "img", "aria-label": "No picture yet" });
  const told = el("p", { class: "note", role: "status" });
  const input = el("input", { type: "file", id: "picture", accept: "image/*" });
  const zone = el(
    "div",
    { class: "drop" },
    el("label", { for: "picture" }, "Picture"),
    input,
    el("p", { class: "note" }, "Or drop one here, or paste it. It is sent to this server alone."),
    preview,
    told,
  );

  const take = (next) => {
    picture = next;
    const { bitmap, name } = next;
    preview.width = bitmap.width;
    preview.height = bitmap.height;
    preview.getContext("2d").drawImage(bitmap, 0, 0);
    preview.setAttribute("aria-label", `The picture that is sent: ${name}`);
    told.textContent = `${name}, ${bitmap.width} × ${bitmap.height} pixels as sent`;
    input.removeAttribute("aria-invalid");
    zone.dispatchEvent(new Event("input", { bubbles: true })); // the commands follow
  };
  const read = async (file) => {
    const mine = ++newest; // a large picture that was given up for another may come late
    try {
      const next = await readPicture(file);
      if (mine !== newest) return;
      take(next);
      input.form?.requestSubmit();
    } catch {
      if (mine !== newest) return;
      picture = null;
      problem = `${file.name || "What was given"} is no picture that this browser can read.`;
      told.textContent = problem;
      announce(problem);
    }
  };

  takeFiles(zone, input, read);
  document.addEventListener("paste", (event) => {
    if (!zone.isConnected || !event.clipboardData.files.length) return;
    event.preventDefault();
    read(event.clipboardData.files[0]);
  });

  const example = drawnExample();
  take(example);
  const examples = el(
    "ul",
    { class: "examples", "aria-label": "Examples" },
    el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          onclick: () => {
            newest += 1;
            input.value = "";
            take(example);
            input.form.requestSubmit();
          },
        },
        "A drawn dog (models know photographs)",
      ),
    ),
  );
  return {
    elements: [zone, examples],
    picture: () => {
      if (picture !== null) return picture;
      input.setAttribute("aria-invalid", "true");
      throw new FormError(input, problem);
    },
  };
}

/** A file as it is if it is small and of a kind that servers read, else drawn anew as JPEG. */
async function readPicture(file) {
  const whole = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, LONGEST_SIDE / Math.max(whole.width, whole.height));
  if (scale === 1 && file.size <= MOST_BYTES && AS_THEY_ARE.includes(file.type)) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    return { bitmap: whole, base64: base64(bytes), name: file.name || "pasted.png" };
  }
  const width = Math.max(1, Math.round(scale * whole.width));
  const height = Math.max(1, Math.round(scale * whole.height));
  const canvas = el("canvas", { width, height });
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // under what is transparent, as the server has it
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(whole, 0, 0, width, height);
  return { ...jpegOf(canvas), name: file.name || "pasted.jpg" };
}

function jpegOf(canvas) {
  const url = canvas.toDataURL("image/jpeg", QUALITY);
  return { bitmap: canvas, base64: url.slice(url.indexOf(",") + 1) };
}

/** A dog on a meadow, for those who have no picture at hand. */
function drawnExample() {
  const size = 320;
  const canvas = el("canvas", { width: size, height: size });
  const context = canvas.getContext("2d");
  const fill = (colour, draw) => {
    context.fillStyle = colour;
    context.beginPath();
    draw();
    context.fill();
  };
  const ellipse = (x, y, wide, high, colour) =>
    fill(colour, () => context.ellipse(x, y, wide, high, 0, 0, 2 * Math.PI));
  fill("#87b9eb", () => context.rect(0, 0, size, size));
  fill("#5f9a3c", () => context.rect(0, 180, size, 140));
  for (const x of [100, 128, 172, 198]) ellipse(x, 236, 9, 38, "#6b4426");
  ellipse(148, 198, 64, 32, "#7e522c");
  ellipse(80, 160, 8, 29, "#7e522c");
  ellipse(214, 150, 32, 29, "#7e522c");
  ellipse(243, 160, 22, 14, "#a8784c");
  ellipse(192, 141, 11, 27, "#462a16");
  ellipse(262, 157, 6, 6, "#141414");
  ellipse(221, 141, 5, 5, "#141414");
  return { ...jpegOf(canvas), name: EXAMPLE };
}
