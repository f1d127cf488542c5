/** Uuids in both of the protocol's forms; inside they are always lower-case text. */
import type { In } from './protobuf.ts';
import type { Uuid, WireUuid } from './shared-messages.ts';

const pattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The uuid, or undefined where there is none or what is there is none. */
export const uuidOf = (wire: In<typeof Uuid> | undefined): string | undefined => {
  if (wire?.string !== undefined) return uuidText(wire.string);
  if (wire?.structured === undefined) return undefined;
  const { mostSignificantBits: high = 0n, leastSignificantBits: low = 0n } = wire.structured;
  const half = (bits: bigint): string => BigInt.asUintN(64, bits).toString(16).padStart(16, '0');
  const hex = half(high) + half(low);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
};

export const uuidText = (text: string): string | undefined => {
  const lower = text.toLowerCase();
  return pattern.test(lower) ? lower : undefined;
};

export const structuredUuid = (uuid: string): WireUuid => {
  const hex = uuid.replaceAll('-', '');
  const half = (from: number): bigint =>
    BigInt.asIntN(64, BigInt(`0x${hex.slice(from, from + 16)}`));
  return { structured: { mostSignificantBits: half(0), leastSignificantBits: half(16) } };
};
