// What does in a shell or in Python the same as the page.

/** A POSIX shell command that sends `body` to `url`. */
export function curlCommand(url, body) {
  return `curl -d ${quote(body)} ${quote(url)}`;
}

/** As `curlCommand`, of a body that holds a file in base64: the shell encodes it. */
export function uploadCommand(url, { body, base64, file }) {
  const [before, after] = body.split(base64).map(quote);
  const encode = `base64 < ${quote(file)} | tr -d '\\n'`;
  return `{ printf %s ${before}; ${encode}; printf %s ${after}; } | curl -d @- ${quote(url)}`;
}

/** One word of a POSIX shell: nothing is special between single quotes but the quote itself. */
export function quote(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A script that sends the calls' bodies to `url` and prints the answers; it needs Python alone. */
export function pythonScript(url, calls) {
  const file = calls.find((call) => call.file !== undefined)?.file;
  const sends = calls.map(({ body, base64 }) => {
    if (base64 === undefined) return `print(predict(${pythonLiteral(body)}))`;
    const [before, after] = body.split(`"${base64}"`).map(pythonLiteral);
    return `print(predict(${before}content${after}))`;
  });
  const read = `content = base64.b64encode(open(${JSON.stringify(file)}, "rb").read()).decode()`;
  return [
    ...(file === undefined ? [] : ["import base64"]),
    "import json",
    "from urllib.request import urlopen",
    "",
    "def predict(body):",
    `    url = ${JSON.stringify(url)}`,
    "    with urlopen(url, json.dumps(body).encode()) as answer:",
    "        return json.load(answer)",
    "",
    ...(file === undefined ? [] : [read]),
    ...sends,
  ].join("\n");
}

/** JSON as Python writes it. Numbers stay as they were typed. */
export function pythonLiteral(json) {
  const words = { true: "True", false: "False", null: "None" };
  return json.replace(/"(?:[^"\\]|\\.)*"|true|false|null/g, (token) =>
    // Of JSON's escapes Python lacks `\/`, and reads half an emoji each in `\ud83d\ude42`.
    token.startsWith('"') ? JSON.stringify(JSON.parse(token)) : words[token],
  );
}
