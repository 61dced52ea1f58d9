// What does in a shell or in Python the same as the page.

/** A POSIX shell command that sends `body` to `url`. */
export function curlCommand(url, body) {
  return `curl -d ${quote(body)} ${quote(url)}`;
}

/** One word of a POSIX shell: nothing is special between single quotes but the quote itself. */
export function quote(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A script that sends the bodies to `url` and prints the answers; it needs Python alone. */
export function pythonScript(url, bodies) {
  const sends = bodies.map((body) => `print(predict(${pythonLiteral(body)}))`);
  return [
    "import json",
    "from urllib.request import urlopen",
    "",
    "def predict(body):",
    `    url = ${JSON.stringify(url)}`,
    "    with urlopen(url, json.dumps(body).encode()) as answer:",
    "        return json.load(answer)",
    "",
    ...sends,
  ].join("\n");
}

/** JSON as Python writes it. Numbers stay as they were typed. */
function pythonLiteral(json) {
  const words = { true: "True", false: "False", null: "None" };
  return json.replace(/"(?:[^"\\]|\\.)*"|true|false|null/g, (token) =>
    // Of JSON's escapes Python lacks `\/`, and reads half an emoji each in `\ud83d\ude42`.
    token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : words[token],
  );
}
