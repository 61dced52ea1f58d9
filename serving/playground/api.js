// The REST API of TensorFlow Serving, as far as the playground needs it.

/** The server could not be reached (status 0), or did not answer with what was asked for. */
export class ServerError extends Error {
  constructor(status, reason, message) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

/** URL of a model; `tail` is "", "/metadata" or ":predict". */
export function modelUrl(model, tail) {
  return new URL(`v1/models/${encodeURIComponent(model)}${tail}`, pageUrl()).href;
}

/** Its versions, newest first: `[{version, state, message}]`. */
export async function getVersions(model, signal) {
  const { text } = await ask(modelUrl(model, ""), { signal });
  return read(text)
    .model_version_status.map(({ version, state, status }) => ({
      version,
      state,
      message: status?.error_message ?? "",
    }))
    .sort((one, other) => Number(other.version) - Number(one.version));
}

/**
 * The version that answers, and its signatures: a Map from name, `serving_default` first, to
 * `{inputs, outputs}`, each a Map from name to `{dtype, shape}`. A dimension of any size is null,
 * and so is a shape of any rank.
 */
export async function getSignatures(model, signal) {
  const { text } = await ask(modelUrl(model, "/metadata"), { signal });
  const answer = read(text);
  const definitions = Object.entries(answer.metadata.signature_def.signature_def)
    .filter(([name]) => !name.startsWith("__")) // the op that initialises tables, and its like
    .sort(([one], [other]) => order(one, other));
  return {
    version: answer.model_spec.version,
    signatures: new Map(
      definitions.map(([name, definition]) => [
        name,
        { inputs: tensors(definition.inputs), outputs: tensors(definition.outputs) },
      ]),
    ),
  };
}

/**
 * Whether a signature exists, reads nothing but `text`, a string for each row of the batch, and
 * answers at least with `outputs`: name -> ["string" or "number", rank].
 */
export function readsText(signatures, name, outputs) {
  return reads(signatures, name, "text", outputs);
}

/** As `readsText`, of a signature whose only input has another name, or is of another kind. */
export function reads(signatures, name, input, outputs, kind = ["string", 1]) {
  return takes(signatures, name, { [input]: kind }, outputs);
}

/** As `readsText`, of a signature with these inputs and no others. */
export function takes(signatures, name, inputs, outputs) {
  const signature = signatures.get(name);
  const has = (tensors, wanted) =>
    Object.entries(wanted).every(([tensor, kind]) => isOf(tensors.get(tensor), kind));
  return (
    signature?.inputs.size === Object.keys(inputs).length &&
    has(signature.inputs, inputs) &&
    has(signature.outputs, outputs)
  );
}

/** What the model's card says: `{title, purpose, limit, text}`; null for a model without one. */
export async function getCard(model, signal) {
  const url = new URL(`playground/cards/${encodeURIComponent(model)}`, pageUrl());
  const { text } = await ask(url.href, { signal });
  return text === "" ? null : read(text);
}

/** A call of a signature whose only input is one string: `{signature, body}`. */
export function textCall(signature, text) {
  return call(signature, `"instances": [${JSON.stringify(text)}]`);
}

/** A call with one row, given as JSON: an only input, or an object of all. */
export function rowsCall(signature, row) {
  return call(signature, `"instances": [${row}]`);
}

/** A call of a signature whose only input is a file's content, known as base64; `file` names it. */
export function fileCall(signature, base64, file) {
  const { body } = call(signature, `"instances": [{"b64": "${base64}"}]`);
  return { signature, body, base64, file };
}

/** A call with the whole tensors of its inputs, given as a Map from name to JSON. */
export function columnsCall(signature, inputs) {
  const members = [...inputs].map(([name, json]) => `${JSON.stringify(name)}: ${json}`);
  return call(signature, `"inputs": {${members.join(", ")}}`);
}

/** Sends a call. `{text, milliseconds}`: the answer as it came. */
export async function predict(model, { body }, signal) {
  return ask(modelUrl(model, ":predict"), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
    signal,
  });
}

/** The row of an answer to `textCall`: an object keyed by the signature's outputs. */
export function firstRow({ text }) {
  return read(text).predictions[0];
}

/** All else is beside the page, wherever a proxy may have put it. */
function pageUrl() {
  return document.baseURI.split("#")[0];
}

function call(signature, rest) {
  const name =
    signature === "serving_default" ? "" : `"signature_name": ${JSON.stringify(signature)}, `;
  return { signature, body: `{${name}${rest}}` };
}

async function ask(url, options) {
  const started = performance.now();
  let response;
  let text;
  try {
    response = await fetch(url, options);
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(
      0,
      "No answer",
      "The server cannot be reached. Is it still running, and is the network up?",
    );
  }
  if (!response.ok) throw new ServerError(response.status, response.statusText, errorText(text));
  return { text, milliseconds: performance.now() - started };
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    // TensorFlow Serving writes NaN and Infinity as they are, which JSON does not have.
    throw new ServerError(200, "Unreadable answer", `${error.message}. ${text.slice(0, 300)}`);
  }
}

function errorText(text) {
  try {
    return JSON.parse(text).error ?? text;
  } catch {
    return text; // a proxy's page, perhaps
  }
}

/** A shape of any rank is taken for the one that is wanted: many a graph does not know better. */
function isOf(tensor, [kind, rank]) {
  if (tensor === undefined || (tensor.dtype === "string") !== (kind === "string")) return false;
  return tensor.shape === null || tensor.shape.length === rank;
}

function tensors(infos) {
  return new Map(
    Object.entries(infos)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, { dtype, tensor_shape: shape }]) => [
        name,
        {
          dtype: dtype.replace("DT_", "").toLowerCase(),
          shape: shape.unknown_rank
            ? null
            : shape.dim.map(({ size }) => (Number(size) < 0 ? null : Number(size))),
        },
      ]),
  );
}

function order(one, other) {
  const rank = (name) => (name === "serving_default" ? 0 : 1);
  return rank(one) - rank(other) || (one < other ? -1 : 1);
}
