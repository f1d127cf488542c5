/**
 * A document as sentences, each with the document, the heading and the paragraph it stands in.
 *
 * 1. A sentence is words of the source, in the order of the source: nothing is made up here.
 * 2. Abbreviations and initials do not end a sentence.
 * 3. Of a document that is too large, blocks are left out evenly, not at its end.
 */
import { blocksOf, plainText, type Block } from './markdown.ts';
import { wordsOf } from './words.ts';

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

export interface Sentence {
  readonly text: string;
  readonly document: string;
  /** The nearest heading above it, or ''. */
  readonly heading: string;
  /** Counts the blocks of its document. */
  readonly block: number;
  /** Its place over all documents, from 0. */
  readonly index: number;
}

/** Prose of all documents together that is looked at. */
const proseCharactersMax = 1_000_000;

const pieceLength = 4000;
const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

const abbreviation =
  /(?:^|[\s("“'])(?:(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|Mt|Gen|Col|Sgt|Capt|Lt|Rev|Hon|Gov|Sen|Rep|Inc|Ltd|Co|Corp|No|Nos|Fig|Figs|Eq|Sec|Ch|Vol|pp?|vs|cf|ca|approx|dept|est|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|e\.g|i\.e|etc|al|viz)\.|(?:\p{Lu}\.)+)\s*$/u;

/** Whether what follows goes on with the sentence although a full stop came. */
const goesOn = (sentence: string, next: string): boolean => {
  // Only its end is looked at: a text of nothing but abbreviations grows long.
  const end = sentence.slice(-24);
  if (!abbreviation.test(end)) return false;
  // After "etc." or "U.S." a new sentence may well begin; a capitalised stop word tells.
  if (/(?:etc|al|\p{Lu}\.\p{Lu})\.\s*$/u.test(end)) {
    return !/^["“'(]?(?:The|A|An|It|In|He|She|We|They|This|That|These|But|And|As|At|For|If|On)\b/.test(
      next,
    );
  }
  return true;
};

/** Cuts long text where a sentence seems to end, since the segmenter copies its input with each segment. */
const piecesOf = (text: string): string[] => {
  const pieces: string[] = [];
  let rest = text;
  while (rest.length > pieceLength) {
    const window = rest.slice(0, pieceLength);
    const end = Math.max(window.lastIndexOf('. '), window.lastIndexOf('。'));
    const cut = end > 0 ? end + 1 : Math.max(window.lastIndexOf(' '), 0) || pieceLength;
    pieces.push(rest.slice(0, cut));
    rest = rest.slice(cut);
  }
  return [...pieces, rest];
};

/** The sentences of one line of text; put together they are the line. */
export const splitSentences = (line: string): string[] => {
  const sentences: string[] = [];
  for (const piece of piecesOf(line)) {
    for (const { segment } of segmenter.segment(piece)) {
      const last = sentences.at(-1);
      if (last !== undefined && goesOn(last, segment)) sentences[sentences.length - 1] += segment;
      else sentences.push(segment);
    }
  }
  return sentences;
};

/** A short line without a full stop before a capital is a line of its own, not a wrapped one. */
const linesOf = (text: string): string[] => {
  // Line ends stay with the line before them, so that the lines put together are the text.
  const lines: string[][] = [];
  let before: string | undefined;
  for (const line of text.split(/(?<=\n)/)) {
    const isOwn =
      before === undefined ||
      (before.trim().length < 50 &&
        !/[,;:–—-]\s*$/.test(before) &&
        /^\s*[\p{Lu}\p{N}"“]/u.test(line));
    if (isOwn) lines.push([line]);
    else lines.at(-1)!.push(line);
    before = line;
  }
  return lines.map((parts) => parts.join(''));
};

/** The sentences of a block as they are written, marks and line ends included; together they are the text. */
export const writtenSentences = (text: string): string[] => {
  const sentences: string[] = [];
  for (const line of linesOf(text)) {
    let at = 0;
    // A line end inside a paragraph is a space to a reader; the segmenter would end a sentence there.
    for (const { length } of splitSentences(line.replaceAll('\n', ' '))) {
      const sentence = line.slice(at, at + length);
      at += length;
      // The marks that close an emphasis belong to the sentence that they close.
      const closing = /^[*_~`]+(?=\s)\s*/.exec(sentence)?.[0] ?? '';
      if (closing !== '' && sentences.length > 0) sentences[sentences.length - 1] += closing;
      const rest = sentences.length > 0 ? sentence.slice(closing.length) : sentence;
      if (rest !== '') sentences.push(rest);
    }
  }
  return sentences;
};

const isProse = (block: Block): boolean =>
  block.kind === 'prose' || block.kind === 'item' || block.kind === 'quote';

/** The sentences of a block, as a person reads them. */
const sentencesOfBlock = (block: Block): string[] =>
  isProse(block)
    ? linesOf(block.text)
        .flatMap((line) => splitSentences(plainText(line)))
        .map((sentence) => sentence.trim())
        .filter((sentence) => wordsOf(sentence).length > 0)
    : [];

/** The sentences of documents. */
export const sentencesOf = (documents: readonly NamedText[]): Sentence[] => {
  const sentences: Sentence[] = [];
  const size = documents.reduce((sum, { text }) => sum + text.length, 0);
  const share = Math.max(1, Math.ceil(size / proseCharactersMax));
  let proseBlocks = 0;
  for (const { name, text } of documents) {
    let heading = '';
    for (const [block, each] of blocksOf(text).entries()) {
      if (each.kind === 'heading') heading = plainText(each.text);
      if (!isProse(each)) continue;
      const isTaken = proseBlocks % share === 0;
      proseBlocks += 1;
      if (!isTaken) continue;
      // One endless paragraph is cut; there is no fair way to choose from it.
      const bounded = { ...each, text: each.text.slice(0, proseCharactersMax) };
      for (const sentence of sentencesOfBlock(bounded)) {
        sentences.push({ text: sentence, document: name, heading, block, index: sentences.length });
      }
    }
  }
  return sentences;
};

/** The headings of documents, in order; `isTitle` marks those of the first level. */
export const headingsOf = (
  documents: readonly NamedText[],
): { readonly text: string; readonly isTitle: boolean }[] =>
  documents.flatMap(({ text }) =>
    blocksOf(text)
      .filter((block) => block.kind === 'heading')
      .map((block) => ({
        text: plainText(block.text),
        isTitle: /^ {0,3}#[ \t]/.test(block.prefix) || /\n {0,3}=/.test(block.after),
      }))
      .filter((heading) => heading.text !== ''),
  );
