/**
 * Makes text from models, data and files safe to show: it cannot move the cursor, colour the terminal, or reorder what
 * is read.
 */
// Colours and movements go whole. Of longer sequences only the controls go: what they carry is text somebody may have
// meant to hide.
// oxlint-disable-next-line no-control-regex
const colours = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g;
// All controls but tab and newline, and the marks that turn the direction of text.
// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// What JSON leaves as it is, and a terminal does not.
const leftByJson = /[\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

export const neutralise = (text: string): string => text.replace(colours, '').replace(controls, '');

/** The text in one line of at most this many characters. */
export const oneLine = (text: string, lengthMax = 200): string => {
  const line = neutralise(text).replace(/\s+/g, ' ').trim();
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1)}…` : line;
};

/** JSON text that means the same and is safe to show. */
export const safeJson = (value: unknown, indent?: number): string =>
  (JSON.stringify(value, null, indent) ?? 'null').replace(
    leftByJson,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
