/** Messages of the gateway's own table mean the same to the code that the official client was generated with. */
import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bool,
  bytes,
  double,
  field,
  int64,
  MalformedMessage,
  map,
  message,
  repeated,
  sint64,
  text,
  uint32,
  uint64,
} from '../../../src/kurrent-gateway/protocol/protobuf.ts';
import { AppendReq, ReadResp } from '../../../src/kurrent-gateway/protocol/streams-messages.ts';
import { structuredUuid, uuidOf } from '../../../src/kurrent-gateway/protocol/uuid.ts';

/** What a generated message offers, as far as it is used here. */
interface Generated {
  readonly [method: string]: (...args: unknown[]) => never;
}
interface GeneratedType {
  new (): Generated;
  deserializeBinary(bytes: Uint8Array): Generated;
}

const generated = createRequire(import.meta.url)(
  '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb',
) as { readonly AppendReq: never; readonly ReadResp: GeneratedType };

const Inner = message({ name: field(1, text), revision: field(2, uint64) });
const Every = message({
  text: field(1, text),
  bytes: field(2, bytes),
  bool: field(3, bool),
  double: field(4, double),
  uint32: field(5, uint32),
  uint64: field(6, uint64),
  int64: field(7, int64),
  sint64: field(8, sint64),
  inner: field(9, Inner),
  texts: repeated(10, text),
  inners: repeated(11, Inner),
  named: map(12, text),
  // A number of two bytes in the tag.
  far: field(2047, text),
});

const anyUint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const anyInt64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const anyText = fc.string({ unit: 'grapheme', maxLength: 300 });
const anyBytes = fc.uint8Array({ maxLength: 400 }).map((part) => Buffer.from(part));
const anyInner = fc.record({ name: anyText, revision: anyUint64 });

const anyMessage = fc.record(
  {
    text: anyText,
    bytes: anyBytes,
    bool: fc.boolean(),
    double: fc.double({ noNaN: true }),
    uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    uint64: anyUint64,
    int64: anyInt64,
    sint64: anyInt64,
    inner: anyInner,
    texts: fc.array(anyText, { minLength: 1, maxLength: 5 }),
    inners: fc.array(anyInner, { minLength: 1, maxLength: 5 }),
    named: fc.dictionary(
      anyText.filter((name) => name !== '__proto__'),
      anyText,
      { minKeys: 1, maxKeys: 4, noNullPrototype: true },
    ),
    far: anyText,
  },
  { requiredKeys: [] },
);

describe('a message', () => {
  test('comes back as it was sent, whatever its fields hold', () => {
    fc.assert(
      fc.property(anyMessage, (sent) => {
        const { named, ...received } = Every.decode(Every.encode(sent));
        const { named: namedSent, ...rest } = sent;
        expect(received).toEqual(rest);
        expect(Object.fromEntries(named ?? [])).toEqual(namedSent ?? {});
      }),
    );
  });

  test('is refused, and nothing worse, when its bytes are cut or garbled', () => {
    fc.assert(
      fc.property(anyMessage, fc.nat(), fc.integer({ min: 0, max: 255 }), (sent, at, byte) => {
        const whole = Every.encode(sent);
        const garbled = Buffer.from(whole);
        if (garbled.length > 0) garbled[at % garbled.length] = byte;
        for (const part of [garbled, whole.subarray(0, at % (whole.length + 1))]) {
          try {
            Every.decode(part);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedMessage);
          }
        }
      }),
    );
  });

  test('with fields that are not in the table is read without them', () => {
    const known = message({ text: field(1, text) });
    const everything = Every.encode({
      text: 'a',
      double: 1.5,
      uint64: 2n ** 64n - 1n,
      inner: { name: 'b' },
      far: 'c',
    });
    expect(known.decode(everything)).toEqual({ text: 'a' });
  });
});

describe('the generated code of the official client', () => {
  test('reads an event as the gateway sends it', () => {
    const frame = ReadResp.encode({
      event: {
        event: {
          id: { string: '0190f0c0-1234-7abc-8def-0123456789ab' },
          streamIdentifier: { streamName: Buffer.from('größe') },
          streamRevision: 9_223_372_036_854_775_807n,
          preparePosition: 2n ** 64n - 1n,
          commitPosition: 7,
          metadata: { type: 't', created: '123' },
          customMetadata: Buffer.from([0, 255]),
          data: Buffer.alloc(1_000, 1),
        },
        commitPosition: 7n,
      },
    });
    const event = generated.ReadResp.deserializeBinary(frame)['getEvent']!() as Generated;
    const recorded = event['getEvent']!() as Generated;
    const id = recorded['getId']!() as Generated;
    const stream = recorded['getStreamIdentifier']!() as Generated;
    const metadata = recorded['getMetadataMap']!() as Generated;
    expect(id['getString']!()).toBe('0190f0c0-1234-7abc-8def-0123456789ab');
    expect(Buffer.from(stream['getStreamName_asU8']!()).toString()).toBe('größe');
    expect(recorded['getStreamRevision']!()).toBe('9223372036854775807');
    expect(recorded['getPreparePosition']!()).toBe('18446744073709551615');
    expect(recorded['getCommitPosition']!()).toBe('7');
    expect(metadata['get']!('created')).toBe('123');
    expect([...(recorded['getCustomMetadata_asU8']!() as Uint8Array)]).toEqual([0, 255]);
    expect(recorded['getData_asU8']!()).toHaveLength(1_000);
    expect(event['hasLink']!()).toBe(false);
  });

  test('writes requests that the gateway reads', () => {
    const { AppendReq: Request } = generated as unknown as {
      AppendReq: GeneratedType & { ProposedMessage: GeneratedType };
    };
    const proposed = new Request.ProposedMessage();
    proposed['setData']!(Buffer.from('{"n":1}'));
    const metadata = proposed['getMetadataMap']!() as Generated;
    metadata['set']!('type', 't');
    metadata['set']!('content-type', 'application/json');
    const request = new Request();
    request['setProposedMessage']!(proposed);
    const { proposedMessage, options } = AppendReq.decode(
      Buffer.from(request['serializeBinary']!()),
    );
    expect(options).toBeUndefined();
    expect(proposedMessage!.data!.toString()).toBe('{"n":1}');
    expect(Object.fromEntries(proposedMessage!.metadata!)).toEqual({
      type: 't',
      'content-type': 'application/json',
    });
  });
});

describe('a uuid', () => {
  test('is the same in both forms, and what is none is not taken for one', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const { structured } = structuredUuid(uuid) as {
          structured: { mostSignificantBits: bigint; leastSignificantBits: bigint };
        };
        expect(uuidOf({ structured })).toBe(uuid);
        expect(uuidOf({ string: uuid.toUpperCase() })).toBe(uuid);
      }),
    );
    for (const text of ['', 'nonsense', '0'.repeat(36), '0190f0c012347abc8def0123456789ab']) {
      expect(uuidOf({ string: text })).toBeUndefined();
    }
    expect(uuidOf(undefined)).toBeUndefined();
    expect(uuidOf({})).toBeUndefined();
  });
});
