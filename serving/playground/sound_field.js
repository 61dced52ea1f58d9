// A recording to be chosen, dropped or spoken. What is no WAV is decoded here and sent as one;
// nothing is kept when the page is left.

import { base64 } from "./base64.js";
import { announce, el } from "./dom.js";
import { takeFiles } from "./file_drop.js";
import { FormError } from "./form_error.js";

const MOST_BYTES = 2_000_000; // of a WAV that is sent as it is
const MOST_SECONDS = 10; // of any other sound, and of a recording
const QUIET = 0.03; // of the loudest place: what a recording begins and ends with is cut off
const MARGIN = 0.1; // seconds that are kept beside what is not quiet
const EXAMPLE = "example.wav";
const RATE = 16_000; // of the example

/**
 * The field. `sound()` gives `{base64, name}`, or throws a FormError if there is none.
 *
 * @returns {{elements: Node[], sound: () => object}}
 */
export function soundField() {
  let sound = null;
  let problem = "Choose a recording first: a file, or the microphone.";
  let newest = 0;
  const told = el("p", { class: "note", role: "status" });
  const input = el("input", { type: "file", id: "sound", accept: "audio/*,.wav" });
  const record = el("button", { type: "button", "aria-pressed": "false" }, "Record");
  const play = el("button", { type: "button" }, "Play");
  const zone = el(
    "div",
    { class: "drop" },
    el("label", { for: "sound" }, "Recording"),
    input,
    el("p", { class: "note" }, "Or drop one here, or speak. It is sent to this server alone."),
    el("div", { class: "send" }, record, play),
    told,
  );

  const fail = (message) => {
    sound = null;
    problem = message;
    told.textContent = message;
    announce(message);
  };
  const take = (next) => {
    sound = next;
    const { name, seconds, bytes } = next;
    const length = seconds === null ? "" : `${seconds.toFixed(1)} seconds, `;
    told.textContent = `${name}, ${length}${Math.ceil(bytes.length / 1000)} kB as sent`;
    input.removeAttribute("aria-invalid");
    zone.dispatchEvent(new Event("input", { bubbles: true })); // the commands follow
  };
  /** Sends what `read` gives, unless something newer was given meanwhile. */
  const open = async (name, read) => {
    const mine = ++newest;
    try {
      const next = await read();
      if (mine !== newest) return;
      take(next);
      input.form?.requestSubmit();
    } catch {
      if (mine === newest) fail(`${name} is no sound that this browser can read.`);
    }
  };
  const choose = (file) => open(file.name || "What was given", () => readSound(file));

  takeFiles(zone, input, choose);
  play.addEventListener("click", async () => {
    try {
      if (sound) await playSound(sound.bytes);
    } catch {
      announce((told.textContent = `This browser cannot play ${sound.name}.`));
    }
  });

  let recorder = null;
  const show = (running) => {
    record.textContent = running ? "Stop" : "Record";
    record.setAttribute("aria-pressed", String(running));
  };
  record.addEventListener("click", async () => {
    if (recorder) {
      recorder.stop();
      return;
    }
    try {
      recorder = await microphone((blob) => {
        recorder = null;
        show(false);
        input.value = "";
        open("What was recorded", async () => spoken(await decoded(await blob.arrayBuffer())));
      });
      show(true);
      told.textContent = `Speak now. It stops by itself after ${MOST_SECONDS} seconds.`;
    } catch (error) {
      fail(noMicrophone(error));
    }
  });

  take(drawnExample());
  return {
    elements: [zone],
    sound: () => {
      if (sound !== null) return { base64: base64(sound.bytes), name: sound.name };
      input.setAttribute("aria-invalid", "true");
      throw new FormError(input, problem);
    },
  };
}

/** A WAV as it is if it is small: the server says what is wrong with it. Any other sound as WAV. */
async function readSound(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const name = file.name || "sound.wav";
  const isWav = String.fromCharCode(...bytes.subarray(0, 4)) === "RIFF";
  if (isWav && bytes.length <= MOST_BYTES) return { bytes, name, seconds: null };
  const buffer = await decoded(bytes.buffer);
  return wavOf(mixed(buffer), buffer.sampleRate, `${name.replace(/\.\w+$/, "")}.wav`);
}

async function decoded(content) {
  const context = new AudioContext();
  try {
    return await context.decodeAudioData(content);
  } finally {
    context.close();
  }
}

async function playSound(bytes) {
  const context = new AudioContext();
  const source = context.createBufferSource();
  source.buffer = await context.decodeAudioData(bytes.slice().buffer);
  source.connect(context.destination);
  source.addEventListener("ended", () => context.close());
  source.start();
}

/** Records until it is stopped, or for the longest time; `done` gets what was recorded. */
async function microphone(done) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const parts = [];
  const end = setTimeout(() => recorder.stop(), 1000 * MOST_SECONDS);
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  recorder.addEventListener("stop", () => {
    clearTimeout(end);
    for (const track of stream.getTracks()) track.stop(); // the browser's sign goes out
    done(new Blob(parts, { type: recorder.mimeType }));
  });
  recorder.start();
  return recorder;
}

function noMicrophone(error) {
  if (!navigator.mediaDevices) {
    return "A browser gives the microphone to HTTPS and to this machine only. Choose a file.";
  }
  if (error.name === "NotAllowedError") {
    return "The microphone was not allowed. Allow it in the browser, or choose a file.";
  }
  return `There is no microphone to be had (${error.name}). Choose a file.`;
}

/** All channels in one, at most so many seconds. */
function mixed(buffer) {
  const count = Math.min(buffer.length, MOST_SECONDS * buffer.sampleRate);
  const samples = new Float32Array(count);
  for (let channel = 0; channel < buffer.numberOfChannels; channel += 1) {
    const data = buffer.getChannelData(channel);
    for (let at = 0; at < count; at += 1) samples[at] += data[at] / buffer.numberOfChannels;
  }
  return samples;
}

/** What was spoken, without the silence before and behind it. */
function spoken(buffer) {
  const samples = mixed(buffer);
  const loudest = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const isLoud = (value) => Math.abs(value) > QUIET * loudest;
  const margin = Math.round(MARGIN * buffer.sampleRate);
  const first = Math.max(0, samples.findIndex(isLoud) - margin);
  const last = samples.findLastIndex(isLoud) + margin;
  return wavOf(samples.slice(first, last + 1), buffer.sampleRate, "recording.wav");
}

/** A WAV of 16 bits: `{bytes, name, seconds}`. */
function wavOf(samples, rate, name) {
  const bytes = new Uint8Array(44 + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const put = (at, text) => [...text].forEach((sign, i) => (bytes[at + i] = sign.charCodeAt(0)));
  put(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  put(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // one channel
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, at) => {
    view.setInt16(44 + 2 * at, Math.round(32767 * Math.min(1, Math.max(-1, value))), true);
  });
  return { bytes, name, seconds: samples.length / rate };
}

/** Two notes, for those who have no recording at hand. */
function drawnExample() {
  const samples = Float32Array.from({ length: RATE / 2 }, (_, at) => {
    const time = at / RATE;
    const pitch = time < 0.25 ? 440 : 660;
    return 0.25 * Math.sin(2 * Math.PI * pitch * time) * Math.sin(4 * Math.PI * time) ** 2;
  });
  return wavOf(samples, RATE, EXAMPLE);
}
