/**
 * The only module that writes to stdout and stderr.
 *
 * 1. Results go to stdout; progress, warnings and errors to stderr. With `--json` stdout holds JSON and nothing else, and
 *    stderr is silent but for an error.
 * 2. Everything is made safe on the way out; only styles that were asked for here become ANSI sequences, and only on a
 *    terminal that wants colours.
 * 3. A reader that goes away (`| head`) is no error: what it does not read is not written.
 */
import { neutralise, safeJson } from './sanitize.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string, done?: (error?: Error | null) => void): boolean;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** What begins and what ends a style, as codes of SGR. */
const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};
const styles = Object.keys(codes) as Style[];

const coloured = (style: Style, text: string): string =>
  `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m`;

/** Stands for a style inside a text until it is written; the first one ends a style. */
const marks = '\ue000\ue001\ue002\ue003\ue004\ue005\ue006';
const end = marks[0]!;
const marksPattern = new RegExp(`[${marks}]`, 'gu');
const spanPattern = new RegExp(`([${marks.slice(1)}])([^${end}]*)${end}`, 'gu');

/** Text that is shown in a style where there are colours. */
export const styled = (style: Style, text: string): string =>
  `${marks[styles.indexOf(style) + 1]!}${text.replace(marksPattern, '')}${end}`;

/** The text without its styles. */
export const unstyled = (text: string): string => text.replace(marksPattern, '');

/** How many places the text takes. */
export const lengthOf = (text: string): number => Array.from(text.replace(marksPattern, '')).length;

const defaultWidth = 100;
const widthMin = 40;

/** A terminal that does not know its size says 0. */
const columnsOf = ({ columns }: TerminalStream): number =>
  columns === undefined || columns === 0 ? defaultWidth : columns;

export interface TerminalOptions {
  readonly json?: boolean;
  readonly noColor?: boolean;
  readonly stdout?: TerminalStream;
  readonly stderr?: TerminalStream;
}

export class Terminal {
  readonly json: boolean;
  readonly #noColor: boolean;
  readonly #stdout: TerminalStream;
  readonly #stderr: TerminalStream;
  readonly #closed = new Set<TerminalStream>();
  #transient = '';

  constructor(options: TerminalOptions = {}) {
    this.json = options.json ?? false;
    this.#noColor = options.noColor ?? false;
    this.#stdout = options.stdout ?? process.stdout;
    this.#stderr = options.stderr ?? process.stderr;
    for (const stream of [this.#stdout, this.#stderr]) {
      stream.on('error', () => this.#closed.add(stream));
    }
  }

  /** Whether nobody reads the results any more. */
  get isClosed(): boolean {
    return this.#closed.has(this.#stdout);
  }

  /** Whether a person watches the progress. */
  get isWatched(): boolean {
    return !this.json && this.#stderr.isTTY === true;
  }

  get isTty(): boolean {
    return this.#stdout.isTTY === true;
  }

  /** Columns that a line of results may take; unlimited when it goes to a file or another program. */
  get width(): number {
    return this.isTty ? Math.max(columnsOf(this.#stdout), widthMin) : Infinity;
  }

  /** A result for people; nothing with `--json`. */
  print(text = ''): void {
    if (this.json) return;
    this.transient('');
    this.#write(this.#stdout, `${text}\n`);
  }

  /** Makes room for a result that takes the place of the one before: an empty screen, or a line between the two. */
  anew(): void {
    if (this.json) return;
    if (this.isTty) this.#writeRaw(this.#stdout, '\u001b[H\u001b[2J');
    else this.print('---');
  }

  /** The result for programs; nothing without `--json`. */
  document(value: unknown): void {
    if (this.json) this.#writeRaw(this.#stdout, `${safeJson(value, 2)}\n`);
  }

  /** One of many results for programs. */
  jsonLine(value: unknown): void {
    if (this.json) this.#writeRaw(this.#stdout, `${safeJson(value)}\n`);
  }

  /** Text that is the result as it stands, for people and programs. */
  raw(text: string): void {
    this.#writeRaw(this.#stdout, text);
  }

  /** Says what goes on. */
  progress(text: string): void {
    if (this.json) return;
    this.transient('');
    this.#write(this.#stderr, `${text}\n`);
  }

  warn(text: string): void {
    this.progress(`${styled('yellow', 'warning:')} ${text}`);
  }

  /** One line that the next one takes the place of; only where a person watches. */
  transient(text: string): void {
    if (!this.isWatched || text === this.#transient) return;
    const width = columnsOf(this.#stderr) - 1;
    const clear = this.#transient === '' ? '' : '\r\u001b[2K';
    this.#transient = text;
    this.#writeRaw(this.#stderr, `${clear}${this.#render(text.slice(0, width), this.#stderr)}`);
  }

  /** An error: text for people, one document for programs. */
  error(text: string, document: unknown): void {
    if (this.json) {
      this.#writeRaw(this.#stderr, `${safeJson(document, 2)}\n`);
      return;
    }
    this.transient('');
    this.#write(this.#stderr, `${text}\n`);
  }

  /** Waits until everything is written. */
  async flush(): Promise<void> {
    for (const stream of [this.#stdout, this.#stderr]) {
      if (this.#closed.has(stream)) continue;
      await new Promise<void>((resolve) => stream.write('', () => resolve()));
    }
  }

  #write(stream: TerminalStream, text: string): void {
    this.#writeRaw(stream, this.#render(text, stream));
  }

  #writeRaw(stream: TerminalStream, text: string): void {
    if (!this.#closed.has(stream)) stream.write(text);
  }

  #render(text: string, stream: TerminalStream): string {
    const colours = stream.isTTY === true && !this.#noColor;
    return neutralise(text)
      .replace(spanPattern, (_, mark: string, inner: string) =>
        colours ? coloured(styles[marks.indexOf(mark) - 1]!, inner) : inner,
      )
      .replace(marksPattern, '');
  }
}
