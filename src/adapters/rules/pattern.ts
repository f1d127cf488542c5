/**
 * Texts that fit a pattern of a schema, for the common part of regular expressions: literals, classes, groups,
 * alternatives and repetitions. Lookarounds and back references are passed over; who asks checks the result.
 */

/** How often a repetition without an upper bound repeats, beyond its lower bound. */
type Extra = number;

const classSamples: Readonly<Record<string, string>> = {
  d: '0',
  D: 'a',
  w: 'a',
  W: '-',
  s: ' ',
  S: 'a',
};

const preferred = ['a', 'A', '0', 'e', 'E', '1', '-', ' ', '.', '_', '~'];

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' };

/** A character of a class, a common one where that is in it. */
const memberOf = (characterClass: string): string => {
  for (const flags of ['u', '']) {
    try {
      const pattern = new RegExp(`^${characterClass}$`, flags);
      const found = [...preferred, '🙂'].find((each) => pattern.test(each));
      if (found !== undefined) return found;
      for (let code = 33; code < 0x500; code += 1) {
        if (pattern.test(String.fromCodePoint(code))) return String.fromCodePoint(code);
      }
    } catch {
      // The other flags may read it.
    }
  }
  return '';
};

class Sampler {
  readonly #source: string;
  readonly #extra: Extra;
  #at = 0;

  constructor(source: string, extra: Extra) {
    this.#source = source;
    this.#extra = extra;
  }

  /** The first alternative that is not empty, or the first. */
  sample(): string {
    const alternatives = [this.#sequence()];
    while (this.#source[this.#at] === '|') {
      this.#at += 1;
      alternatives.push(this.#sequence());
    }
    return alternatives.find((text) => text !== '') ?? '';
  }

  #sequence(): string {
    let text = '';
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) {
      const atom = this.#atom();
      text += this.#repeated(atom);
    }
    return text;
  }

  #atom(): string {
    const character = this.#source[this.#at]!;
    this.#at += 1;
    if (character === '^' || character === '$') return '';
    if (character === '.') return 'a';
    if (character === '[') return this.#class();
    if (character === '(') return this.#group();
    if (character === '\\') return this.#escape();
    return character;
  }

  #escape(): string {
    const character = this.#source[this.#at] ?? '';
    this.#at += 1;
    if (character === 'b' || character === 'B' || /[1-9]/.test(character)) return '';
    if (character === 'p' || character === 'P') {
      const name = /^\{[^}]*\}/.exec(this.#source.slice(this.#at))?.[0] ?? '';
      this.#at += name.length;
      return memberOf(`[\\${character}${name}]`);
    }
    if (character === 'u' || character === 'x') {
      const code = /^(?:\{([0-9a-f]+)\}|([0-9a-f]{2,4}))/i.exec(this.#source.slice(this.#at));
      this.#at += code?.[0].length ?? 0;
      const value = Number.parseInt(code?.[1] ?? code?.[2] ?? '61', 16);
      return value <= 0x10ffff ? String.fromCodePoint(value) : '';
    }
    return classSamples[character] ?? escapes[character] ?? character;
  }

  #class(): string {
    let at = this.#at;
    while (at < this.#source.length && (this.#source[at] !== ']' || at === this.#at)) {
      at += this.#source[at] === '\\' ? 2 : 1;
    }
    const source = `[${this.#source.slice(this.#at, at)}]`;
    this.#at = at + 1;
    return memberOf(source);
  }

  #group(): string {
    const head = /^\?(?:[:=!]|<[=!]|<[^>]*>)/.exec(this.#source.slice(this.#at))?.[0] ?? '';
    this.#at += head.length;
    const text = this.sample();
    if (this.#source[this.#at] === ')') this.#at += 1;
    return /^\?(?:[=!]|<[=!])/.test(head) ? '' : text;
  }

  #repeated(atom: string): string {
    const found = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})\??/.exec(this.#source.slice(this.#at));
    if (found === null) return atom;
    this.#at += found[0].length;
    const [, sign, low, comma, high] = found;
    const least = sign === undefined ? Number(low) : sign === '+' ? 1 : 0;
    const isOpen = sign === '*' || sign === '+' || (comma === ',' && high === '');
    const most = isOpen ? Infinity : sign === '?' ? 1 : Number(comma === ',' ? high : low);
    const times = Math.min(most, least + this.#extra, 10_000);
    return atom.repeat(times);
  }
}

/** Texts that may fit a pattern, with few and with many repetitions; `length` is what they should come near to. */
export const samplesOf = (source: string, length: number): string[] => {
  const extras = [0, 1, 2, 4, 8, length, Math.max(0, length - 1)];
  return extras.map((extra) => new Sampler(source, Math.min(extra, 10_000)).sample());
};
