// The command that does in a shell what the page does.

/** A POSIX shell command that sends `body` to `url`. */
export function curlCommand(url, body) {
  return `curl -d ${quote(body)} ${quote(url)}`;
}

/** One word of a POSIX shell: nothing is special between single quotes but the quote itself. */
export function quote(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
