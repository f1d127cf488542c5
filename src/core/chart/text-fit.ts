/**
 * How wide a text is, without a font to ask.
 *
 * The widths are those of DejaVu Sans, rounded up: among the fonts that `system-ui` means it is the widest, so what fits
 * here fits in Arial, Segoe UI, Roboto and San Francisco, with some room left.
 */

/** Width of a character in em, by the first class that has it. */
const widths: readonly (readonly [RegExp, number])[] = [
  [/^[\p{Mark}\p{Default_Ignorable_Code_Point}]$/u, 0],
  [/^[ijl|'!.,:;·]$/, 0.36],
  [/^[fIJrt()[\]{}/\\ -]$/, 0.42],
  [/^[mwMW@%—…\p{Emoji_Presentation}]$/u, 1.05],
  [/^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\uFF00-\uFFEF]$/u, 1.05],
  [/^[A-Z&]$/, 0.8],
  [/^[a-z0-9_?"$*-]$/, 0.65],
];
const otherWidth = 0.86;
/** A bold character is wider than a regular one by about as much. */
const boldFactor = 1.1;

export interface Font {
  /** In pixels, like all lengths of a chart. */
  readonly size: number;
  readonly isBold?: boolean;
}

export const textWidth = (text: string, { size, isBold = false }: Font): number => {
  let em = 0;
  for (const character of text) {
    em += widths.find(([pattern]) => pattern.test(character))?.[1] ?? otherWidth;
  }
  return Math.ceil(em * size * (isBold ? boldFactor : 1));
};

/** Where a name may be broken: after a separator, and where a capital begins a word. */
const syllables = (word: string): string[] =>
  word.split(/(?<=[._:/-])|(?<=\p{Lowercase})(?=\p{Uppercase})/u);

/** A piece of a word that is still too wide for a line is cut wherever the line ends. */
const cut = (piece: string, width: number, font: Font): string[] => {
  const lines = [''];
  for (const character of piece) {
    if (lines.at(-1) !== '' && textWidth(lines.at(-1)! + character, font) > width) lines.push('');
    lines[lines.length - 1] += character;
  }
  return lines;
};

/** Lines that are no wider than that, broken between words and, where a word is too long, within it. */
export const wrapText = (text: string, width: number, font: Font): string[] => {
  const lines = [''];
  const add = (piece: string, separator: string): void => {
    const last = lines.at(-1)!;
    const joined = last === '' ? piece : `${last}${separator}${piece}`;
    if (textWidth(joined, font) <= width) lines[lines.length - 1] = joined;
    else if (last === '') lines.splice(-1, 1, ...cut(piece, width, font));
    else lines.push(...cut(piece, width, font));
  };
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    const [first, ...rest] = textWidth(word, font) <= width ? [word] : syllables(word);
    add(first!, ' ');
    for (const piece of rest) add(piece, '');
  }
  return lines;
};

/** As many of the lines as may be, the last one saying that there is more. */
export const firstLines = (lines: readonly string[], max: number): readonly string[] =>
  lines.length <= max
    ? lines
    : [...lines.slice(0, max - 1), `${lines[max - 1]!.replace(/[\s.,;:]+$/, '')} …`];
