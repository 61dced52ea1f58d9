// Parts of a text by character offsets. The models count Unicode code points; JavaScript's own
// indices count UTF-16 units, of which an emoji has two.

/**
 * Cuts a text into pieces, in its order.
 *
 * @param {string} text
 * @param {{start: number, end: number}[]} spans code points, end exclusive
 * @returns {{text: string, span: object | null}[]} together they are the text; a span that
 *   overlaps one before it is left out
 */
export function cut(text, spans) {
  const points = Array.from(text);
  const pieces = [];
  let at = 0;
  const take = (end, span) => {
    if (end > at) pieces.push({ text: points.slice(at, end).join(""), span });
    at = end;
  };
  for (const span of [...spans].sort((one, other) => one.start - other.start)) {
    if (span.start < at || span.end > points.length) continue;
    take(span.start, null);
    take(span.end, span);
  }
  take(points.length, null);
  return pieces;
}
