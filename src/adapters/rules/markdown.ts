/**
 * Markdown as blocks, and the plain words of a block. It is no renderer: it knows just enough to tell prose from the
 * rest. Plain text is Markdown without marks.
 *
 * 1. Nothing is lost: the blocks put together are the text, to the character.
 * 2. Code, tables, rules and front matter are never prose.
 * 3. Every pattern takes time in proportion to the line.
 */

export type BlockKind = 'heading' | 'prose' | 'item' | 'quote' | 'verbatim';

export interface Block {
  readonly kind: BlockKind;
  /** Marks before the text: `## `, `- `. */
  readonly prefix: string;
  readonly text: string;
  /** Marks and line ends after the text. */
  readonly after: string;
}

const fencePattern = /^ {0,3}(`{3,}|~{3,})/;
const headingPattern = /^ {0,3}#{1,6}[ \t]+/;
const itemPattern = /^[ \t]*(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?/;
const rulePattern = /^ {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const delimiterPattern = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;
const underlinePattern = /^ {0,3}(?:=+|-{2,})[ \t]*$/;
const htmlPattern =
  /^ {0,3}<\/?(?:a|blockquote|br|center|details|div|h[1-6]|hr|iframe|img|li|ol|p|picture|pre|script|section|source|style|sub|summary|sup|svg|table|tbody|td|th|thead|tr|ul|video)\b/i;
const referencePattern = /^ {0,3}\[[^\]]+\]:[ \t]*\S/;

const isBlank = (line: string): boolean => line.trim() === '';
const bare = (line: string): string => line.replace(/\r?\n$/, '');
const isDelimiter = (line: string): boolean =>
  line.includes('|') && delimiterPattern.test(bare(line));

/** Line by line, with the block that is being read. */
class Reader {
  readonly #lines: readonly string[];
  readonly #blocks: Block[] = [];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split(/(?<=\n)/);
  }

  read(): Block[] {
    this.#frontMatter();
    while (this.#at < this.#lines.length) this.#next();
    return this.#blocks;
  }

  #line(ahead = 0): string {
    return this.#lines[this.#at + ahead] ?? '';
  }

  #push(kind: BlockKind, parts: { prefix?: string; text: string; after?: string }): void {
    const { prefix = '', text, after = '' } = parts;
    // The line end belongs to what comes after the text, so that the text can be replaced.
    const end = /\s*$/.exec(text)?.[0] ?? '';
    const body = text.slice(0, text.length - end.length);
    this.#blocks.push({ kind, prefix, text: body, after: end + after });
  }

  /** Takes lines while they go on, and at least one. */
  #take(goesOn: (line: string) => boolean): string {
    let text = this.#line();
    this.#at += 1;
    while (this.#at < this.#lines.length && goesOn(this.#line())) {
      text += this.#line();
      this.#at += 1;
    }
    return text;
  }

  #frontMatter(): void {
    if (bare(this.#line()) !== '---' || !/^[\w-]+:/.test(this.#line(1))) return;
    const end = this.#lines.slice(0, 200).findIndex((line, at) => at > 0 && bare(line) === '---');
    if (end < 0) return;
    this.#push('verbatim', { text: this.#lines.slice(0, end + 1).join('') });
    this.#at = end + 1;
  }

  #next(): void {
    const line = this.#line();
    if (isBlank(line)) return this.#blank();
    const fence = fencePattern.exec(line)?.[1];
    if (fence !== undefined) return this.#fenced(fence);
    if (line.startsWith('<!--')) return this.#comment();
    const heading = headingPattern.exec(line)?.[0];
    if (heading !== undefined) return this.#heading(heading);
    if (rulePattern.test(bare(line)) || referencePattern.test(line)) {
      return this.#push('verbatim', { text: this.#take(() => false) });
    }
    if (this.#startsTable()) {
      return this.#push('verbatim', { text: this.#take((each) => each.includes('|')) });
    }
    if (htmlPattern.test(line)) {
      return this.#push('verbatim', { text: this.#take((each) => !isBlank(each)) });
    }
    if (/^[ \t]*>/.test(line)) {
      return this.#push('quote', { text: this.#take((each) => /^[ \t]*>/.test(each)) });
    }
    const marker = itemPattern.exec(line)?.[0];
    if (marker !== undefined) return this.#item(marker);
    if (/^(?: {4}|\t)/.test(line) && this.#blocks.at(-1)?.kind !== 'item') {
      return this.#push('verbatim', { text: this.#take((each) => /^(?: {4}|\t)/.test(each)) });
    }
    return this.#prose();
  }

  #blank(): void {
    const text = this.#take(isBlank);
    const last = this.#blocks.pop();
    if (last === undefined) this.#push('verbatim', { text });
    else this.#blocks.push({ ...last, after: last.after + text });
  }

  #fenced(fence: string): void {
    let isOpen = true;
    const text = this.#take((line) => {
      const goesOn = isOpen;
      if (line.trim().startsWith(fence) && line.trim().replaceAll(fence[0]!, '') === '') {
        isOpen = false;
      }
      return goesOn;
    });
    this.#push('verbatim', { text });
  }

  #comment(): void {
    let isOpen = !this.#line().includes('-->');
    const text = this.#take((line) => {
      const goesOn = isOpen;
      if (line.includes('-->')) isOpen = false;
      return goesOn;
    });
    this.#push('verbatim', { text });
  }

  #heading(prefix: string): void {
    const line = this.#take(() => false);
    const rest = line.slice(prefix.length);
    const closing = /[ \t]#+[ \t]*\r?\n?$/.exec(rest)?.[0] ?? '';
    this.#push('heading', {
      prefix,
      text: rest.slice(0, rest.length - closing.length),
      after: closing,
    });
  }

  #item(prefix: string): void {
    const text = this.#take((line) => this.#continues(line));
    this.#push('item', { prefix, text: text.slice(prefix.length) });
  }

  #prose(): void {
    if (underlinePattern.test(bare(this.#line(1)))) {
      const line = this.#take(() => false);
      return this.#push('heading', { text: line, after: this.#take(() => false) });
    }
    this.#push('prose', { text: this.#take((line) => this.#continues(line)) });
  }

  #startsTable(): boolean {
    return isDelimiter(this.#line(1))
      ? this.#line().includes('|')
      : /^[ \t]*\|.*\|[ \t]*$/.test(bare(this.#line()));
  }

  #continues(line: string): boolean {
    return !(
      isBlank(line) ||
      fencePattern.test(line) ||
      headingPattern.test(line) ||
      itemPattern.test(line) ||
      /^[ \t]*>/.test(line) ||
      rulePattern.test(bare(line)) ||
      underlinePattern.test(bare(this.#line(1))) ||
      this.#startsTable()
    );
  }
}

/** The blocks of a text. */
export const blocksOf = (text: string): Block[] => new Reader(text).read();

const entities: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&nbsp;': ' ',
};

/** What a person reads of a piece of Markdown: its words, on one line. */
export const plainText = (markdown: string): string =>
  markdown
    .replace(/^[ \t]*(?:>[ \t]?)+/gm, '')
    .replace(/!\[[^\][]*\]\([^()\s]*(?:\s+"[^"]*")?\)/g, '')
    .replace(/\[\^[^\][\s]+\]/g, '')
    .replace(/\[([^\][]*)\](?:\([^()\s]*(?:\s+"[^"]*")?\)|\[[^\][]*\])/g, '$1')
    .replace(/<(https?:[^<>\s]+)>/g, '$1')
    .replace(/<\/?[A-Za-z][^<>]*>/g, '')
    .replace(/`+([^`]*)`+/g, '$1')
    .replace(/(\*\*|__|~~)(?=\S)([^*_~\n]*?\S)\1/g, '$2')
    .replace(/(?<![\w*])\*(?=\S)([^*\n]*?\S)\*(?![\w*])/g, '$1')
    .replace(/(?<![\w_])_(?=\S)([^_\n]*?\S)_(?![\w_])/g, '$1')
    .replace(/\\([\\`*_{}[\]()#+.!|>~-])/g, '$1')
    .replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (entity) => entities[entity] ?? entity)
    .replace(/\s+/g, ' ')
    .trim();

/** A page of HTML as text, a block a paragraph; other text stays as it is. */
export const withoutHtml = (text: string): string => {
  if (!/^\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|body)\b/i.test(text)) return text;
  return (
    text
      // A comment or a script that does not end goes on to the end.
      .replace(/<!--[\s\S]*?(?:-->|$)/g, '')
      .replace(/<(script|style|head|svg|nav)\b[\s\S]*?(?:<\/\1\s*>|$)/gi, '')
      .replace(/[ \t]*\n[ \t]*/g, ' ')
      .replace(/<h([1-6])\b[^<>]*>/gi, (_, level: string) => `\n\n${'#'.repeat(Number(level))} `)
      .replace(/<li\b[^<>]*>/gi, '\n- ')
      .replace(
        /<\/?(?:p|div|section|article|main|header|footer|ul|ol|table|tr|h[1-6]|br)\b[^<>]*>/gi,
        '\n\n',
      )
      .replace(/<[^<>]*>/g, '')
      .replace(/^ +/gm, '')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
  );
};

/** Text without characters that steer a terminal or hide what is written. */
export const withoutControls = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    // oxlint-disable-next-line no-control-regex
    .replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
    .replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069\ufeff\u200b]/gu, '');
