// Files that are chosen or dropped, for whatever kind of file a field takes.

/** Calls `take` with the first file that is chosen in `input` or dropped on `zone`. */
export function takeFiles(zone, input, take) {
  input.addEventListener("change", () => input.files.length && take(input.files[0]));
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}
