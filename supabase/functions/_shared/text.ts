// Text as the worker's rules read it: signs are code points, and what is a space or a word is what Python takes for one.

/** Lower case without accents, sign by sign. */
export function fold(text: string): string {
  return Array.from(text, (sign) => first(first(sign.normalize("NFD")).toLowerCase())).join("");
}

/** Without control signs, zero-width and bidirectional marks, tags; line breaks are visible. */
export function visible(text: string): string {
  return Array.from(text).filter((sign) => sign === "\n" || sign === "\t" || !/\p{C}/u.test(sign)).join("");
}

export function lengthOf(text: string): number {
  return [...text].length;
}

function first(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0);
}
