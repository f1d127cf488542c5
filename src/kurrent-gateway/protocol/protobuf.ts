/**
 * Protocol Buffers over plain objects: a message is a table of its fields, and its type is inferred from that table.
 *
 * 1. What a table does not name is skipped on the way in, as the format wants it.
 * 2. A field that is absent is `undefined`; there are no defaults. A field that is given is written, also when it is 0.
 * 3. 64-bit numbers are bigints on the way in; on the way out a safe integer will do.
 */

class Writer {
  #buffer = Buffer.allocUnsafe(4_096);
  #at = 0;

  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
    if (this.#buffer.length > keptBytesMax) this.#buffer = Buffer.allocUnsafe(4_096);
    return bytes;
  }

  drop(): void {
    this.#at = 0;
  }

  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest = rest <= 0x7fffffff ? rest >>> 7 : Math.floor(rest / 128);
    }
    this.#buffer[this.#at++] = rest;
  }

  bigVarint(value: bigint): void {
    if (value <= maxSafe) return this.varint(Number(value));
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7fn) {
      this.#buffer[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#buffer[this.#at++] = Number(rest);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at = this.#buffer.writeDoubleLE(value, this.#at);
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#buffer.set(value, this.#at);
    this.#at += value.length;
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.varint(length);
    this.#reserve(length);
    this.#at += this.#buffer.write(value, this.#at, 'utf8');
  }

  /** What `write` writes, behind its length, for which one byte is kept free: most messages are short. */
  nested(write: () => void): void {
    this.#reserve(1);
    const start = ++this.#at;
    write();
    const length = this.#at - start;
    if (length <= 0x7f) {
      this.#buffer[start - 1] = length;
      return;
    }
    const more = varintLength(length) - 1;
    this.#reserve(more);
    this.#buffer.copyWithin(start + more, start, this.#at);
    this.#at = start - 1;
    this.varint(length);
    this.#at += length;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const size = Math.max(this.#buffer.length * 2, this.#at + bytes);
    const larger = Buffer.allocUnsafe(size);
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

const keptBytesMax = 1024 * 1024;
const maxSafe = BigInt(Number.MAX_SAFE_INTEGER);

const varintLength = (value: number): number => {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) length += 1;
  return length;
};

export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage';
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** A number up to 2^53; what is larger loses its low bits. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let index = 0; index < 10; index += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 128;
    }
    throw new MalformedMessage('a number has more than ten bytes');
  }

  bigVarint(): bigint {
    const start = this.#at;
    const value = this.varint();
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    let exact = 0n;
    for (let index = this.#at - 1; index >= start; index -= 1) {
      exact = (exact << 7n) | BigInt(this.#bytes[index]! & 0x7f);
    }
    return BigInt.asUintN(64, exact);
  }

  double(): number {
    const at = this.#skip(8);
    return this.#bytes.readDoubleLE(at);
  }

  bytes(): Buffer {
    const length = this.varint();
    const at = this.#skip(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    const length = this.varint();
    const at = this.#skip(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  nested(): Reader {
    const length = this.varint();
    const at = this.#skip(length);
    return new Reader(this.#bytes, at, at + length);
  }

  skipField(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.#skip(8);
    else if (wireType === 2) this.#skip(this.varint());
    else if (wireType === 5) this.#skip(4);
    else throw new MalformedMessage(`there is no wire type ${wireType}`);
  }

  #byte(): number {
    return this.#bytes[this.#skip(1)]!;
  }

  #skip(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw new MalformedMessage('it ends in the middle of a field');
    this.#at += length;
    return at;
  }
}

/** How one kind of value stands on the wire. */
interface Kind<In, Out = In> {
  readonly wireType: 0 | 1 | 2;
  read(reader: Reader): In;
  write(writer: Writer, value: Out): void;
}

const kind = <In, Out = In>(
  wireType: 0 | 1 | 2,
  read: (reader: Reader) => In,
  write: (writer: Writer, value: Out) => void,
): Kind<In, Out> => ({ wireType, read, write });

const toUint64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const zigzag = (value: bigint): bigint => toUint64((value << 1n) ^ (value >> 63n));
const unzigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n);

const writeUnsigned = (writer: Writer, value: bigint | number): void =>
  typeof value === 'number' ? writer.varint(value) : writer.bigVarint(value);

export const text = kind(
  2,
  (reader) => reader.text(),
  (writer, value: string) => writer.text(value),
);
export const bytes = kind<Buffer, Uint8Array>(
  2,
  (reader) => reader.bytes(),
  (writer, value) => writer.bytes(value),
);
export const bool = kind(
  0,
  (reader) => reader.varint() !== 0,
  (writer, value: boolean) => writer.varint(value ? 1 : 0),
);
export const double = kind(
  1,
  (reader) => reader.double(),
  (writer, value: number) => writer.double(value),
);
/** Also for enums. */
export const uint32 = kind(
  0,
  (reader) => reader.varint(),
  (writer, value: number) => writer.varint(value),
);
export const uint64 = kind<bigint, bigint | number>(
  0,
  (reader) => reader.bigVarint(),
  writeUnsigned,
);
export const int64 = kind<bigint, bigint | number>(
  0,
  (reader) => BigInt.asIntN(64, reader.bigVarint()),
  (writer, value) =>
    value < 0 ? writer.bigVarint(toUint64(BigInt(value))) : writeUnsigned(writer, value),
);
export const sint64 = kind<bigint, bigint | number>(
  0,
  (reader) => unzigzag(reader.bigVarint()),
  (writer, value) => writer.bigVarint(zigzag(BigInt(value))),
);

interface Field<In, Out> {
  readonly number: number;
  readonly wireType: number;
  /** The value with what was read before of the same field. */
  read(reader: Reader, before: In | undefined): In;
  write(writer: Writer, value: Out): void;
}

export const field = <In, Out>(number: number, type: Kind<In, Out>): Field<In, Out> => {
  const tag = (number << 3) | type.wireType;
  return {
    number,
    wireType: type.wireType,
    read: (reader) => type.read(reader),
    write: (writer, value) => {
      writer.varint(tag);
      type.write(writer, value);
    },
  };
};

/** Of texts, bytes and messages, which are never packed. */
export const repeated = <In, Out>(
  number: number,
  type: Kind<In, Out>,
): Field<In[], readonly Out[]> => {
  const single = field(number, type);
  return {
    number,
    wireType: single.wireType,
    read: (reader, before = []) => {
      before.push(single.read(reader, undefined));
      return before;
    },
    write: (writer, values) => {
      for (const value of values) single.write(writer, value);
    },
  };
};

/** A map from texts. */
export const map = <In, Out>(
  number: number,
  type: Kind<In, Out>,
): Field<Map<string, In>, Readonly<Record<string, Out>>> => {
  const tag = (number << 3) | 2;
  const key = field(1, text);
  const value = field(2, type);
  return {
    number,
    wireType: 2,
    read: (reader, before = new Map()) => {
      const entry = readFields(reader.nested(), { key, value });
      if (entry.value !== undefined) before.set(entry.key ?? '', entry.value);
      return before;
    },
    write: (writer, values) => {
      for (const name of Object.keys(values)) {
        writer.varint(tag);
        writer.nested(() => {
          key.write(writer, name);
          value.write(writer, values[name]!);
        });
      }
    },
  };
};

type Fields = Readonly<Record<string, Field<unknown, unknown>>>;

type Received<F extends Fields> = {
  readonly [Name in keyof F]?: F[Name] extends Field<infer In, infer _> ? In : never;
};
type Sent<F extends Fields> = {
  readonly [Name in keyof F]?: F[Name] extends Field<infer _, infer Out> ? Out | undefined : never;
};

const readFields = <F extends Fields>(reader: Reader, fields: F): Received<F> =>
  readNumbered(reader, byNumber(fields)) as Received<F>;

type Numbered = readonly (readonly [string, Fields[string]] | undefined)[];

const byNumber = (fields: Fields): Numbered => {
  const list: (readonly [string, Fields[string]])[] = [];
  for (const [name, one] of Object.entries(fields)) list[one.number] = [name, one];
  return list;
};

const readNumbered = (reader: Reader, numbered: Numbered): Record<string, unknown> => {
  const message: Record<string, unknown> = {};
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const known = numbered[tag >>> 3];
    if (known === undefined || known[1].wireType !== (tag & 7)) reader.skipField(tag & 7);
    else message[known[0]] = known[1].read(reader, message[known[0]]);
  }
  return message;
};

/** A message: the kind of a field in another one, and what is sent by itself. */
export interface Message<In, Out> extends Kind<In, Out> {
  /** @throws MalformedMessage */
  decode(this: void, bytes: Buffer): In;
  encode(this: void, message: Out): Buffer;
}

/** What a message is when it was received, and when it is sent. */
export type In<M> = M extends Message<infer Value, infer _> ? Value : never;
export type Out<M> = M extends Message<infer _, infer Value> ? Value : never;

const writer = new Writer();

export const message = <F extends Fields>(fields: F): Message<Received<F>, Sent<F>> =>
  lazyMessage(() => fields);

/** A message that may hold itself. */
export const lazyMessage = <F extends Fields>(fieldsOf: () => F): Message<Received<F>, Sent<F>> => {
  let numbered: Numbered | undefined;
  let entries: [string, Fields[string]][] | undefined;
  const read = (reader: Reader): Received<F> =>
    readNumbered(reader, (numbered ??= byNumber(fieldsOf()))) as Received<F>;
  const writeFields = (to: Writer, value: Sent<F>): void => {
    for (const [name, one] of (entries ??= Object.entries(fieldsOf()))) {
      const given = value[name];
      if (given !== undefined) one.write(to, given);
    }
  };
  return {
    wireType: 2,
    read: (reader) => read(reader.nested()),
    write: (to, value) => to.nested(() => writeFields(to, value)),
    decode: (source) => read(new Reader(source)),
    encode: (value) => {
      try {
        writeFields(writer, value);
        return writer.take();
      } finally {
        writer.drop();
      }
    },
  };
};

export const empty = message({});
