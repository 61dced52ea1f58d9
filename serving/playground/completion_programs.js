// Programs that write word by word as the page does: the state goes with each call.

import { pythonLiteral, quote } from "./snippets.js";

/** For a POSIX shell with jq, the most probable word each time; and for Python, drawn as asked. */
export function completionPrograms(url, text, options) {
  const start = `{"signature_name": "start", "inputs": [${JSON.stringify(text)}]}`;
  return { shell: shellLoop(url, start, options), python: pythonLoop(url, start, options) };
}

function shellLoop(url, start, { words }) {
  const step = `{signature_name: "step", inputs: {ids: .outputs.ids, state: .outputs.state}}`;
  return [
    `url=${quote(url)}`,
    `answer=$(curl -s -d ${quote(start)} "$url")`,
    "written=0",
    `while [ "$written" -lt ${words} ]; do`,
    `  answer=$(printf %s "$answer" | jq -c '${step}' | curl -s -d @- "$url")`,
    `  word=$(printf %s "$answer" | jq -r '.outputs.token[0]')`,
    `  [ -n "$word" ] || break`,
    `  printf '%s ' "$word"`,
    "  written=$((written + 1))",
    "done",
  ].join("\n");
}

function pythonLoop(url, start, { words, temperature, topK, seed }) {
  const drawn = temperature > 0;
  const choose = drawn
    ? [
        `    scores = answer["likely_log_probabilities"][0][:${topK}]`,
        `    weights = [math.exp((score - scores[0]) / ${temperature}) for score in scores]`,
        "    [at] = random.choices(range(len(scores)), weights)",
      ]
    : ["    at = 0  # the most probable"];
  return [
    "import json",
    ...(drawn ? ["import math", "import random"] : []),
    "from urllib.request import urlopen",
    "",
    "def predict(body):",
    `    url = ${JSON.stringify(url)}`,
    "    with urlopen(url, json.dumps(body).encode()) as answer:",
    `        return json.load(answer)["outputs"]`,
    "",
    ...(drawn ? [`random.seed(${seed})`] : []),
    `answer = predict(${pythonLiteral(start)})`,
    `ids = answer["ids"]`,
    `for _ in range(${words}):`,
    `    inputs = {"ids": ids, "state": answer["state"]}`,
    `    answer = predict({"signature_name": "step", "inputs": inputs})`,
    ...choose,
    `    if answer["likely_tokens"][0][at] == "":`,
    "        break  # the text has ended",
    `    print(answer["likely_tokens"][0][at], end=" ", flush=True)`,
    `    ids = [answer["likely_ids"][0][at]]`,
  ].join("\n");
}
