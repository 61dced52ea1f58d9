// Which word comes next, out of the most probable ones.

/**
 * @param {number[]} logProbabilities the most probable first
 * @param {{temperature: number, topK: number, seed: number}} drawing
 * @param {number} time how many words were drawn before
 * @returns {number} the place of the word; 0, the most probable, at temperature 0
 */
export function draw(logProbabilities, { temperature, topK, seed }, time) {
  if (temperature === 0) return 0;
  const weights = logProbabilities
    .slice(0, topK)
    .map((of) => Math.exp((of - logProbabilities[0]) / temperature));
  let rest = uniform(seed, time) * weights.reduce((sum, weight) => sum + weight, 0);
  const at = weights.findIndex((weight) => (rest -= weight) < 0);
  return Math.max(at, 0); // what rounding leaves over is the first one's
}

/** A number in [0, 1) that depends on both alone, so that an address shows what its sender saw. */
export function uniform(seed, time) {
  let mixed = Math.imul(seed, 0x9e3779b1) ^ Math.imul(time + 1, 0x85ebca6b);
  for (const factor of [0x21f0aaad, 0x735a2d97]) {
    mixed = Math.imul(mixed ^ (mixed >>> 15), factor);
  }
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
}
