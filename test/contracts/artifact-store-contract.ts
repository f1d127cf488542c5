/**
 * What every artifact store does, whatever keeps the bytes. Run it with `artifactStoreContract(...)` in a test file.
 */
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/core/limits.ts';
import { sha256 } from '../../src/core/sha256.ts';
import type { ArtifactStore } from '../../src/ports/artifact-store.ts';

export interface ArtifactStoreContractOptions {
  readonly name: string;
  /** A fresh and empty store. */
  readonly create: () => Promise<ArtifactStore>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const unusableAddresses = [
  '',
  '.',
  '..',
  '../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '/etc/passwd',
  'C:\\Windows\\win.ini',
  `${'a'.repeat(64)}/../../x`,
  `../${'a'.repeat(61)}`,
  'A'.repeat(64),
  'a'.repeat(63),
  'a'.repeat(65),
  `${'a'.repeat(63)}\0`,
  `${'a'.repeat(64)}\n`,
  'а'.repeat(64),
  'g'.repeat(64),
  '__proto__',
  '\u001b[31mred',
];

export const artifactStoreContract = ({ name, create }: ArtifactStoreContractOptions): void => {
  describe(`${name} keeps the contract of artifact stores`, () => {
    test('the address of a content is its sha-256, and the content comes back to the byte', async () => {
      const store = await create();
      for (const content of [bytesOf(''), bytesOf('the sea'), Uint8Array.of(0, 255, 10, 13, 0)]) {
        const stored = await store.put(content);
        expect(stored).toEqual({ sha256: sha256(content), bytes: content.length });
        expect(await store.has(stored.sha256)).toBe(true);
        expect([...(await store.get(stored.sha256))]).toEqual([...content]);
      }
    });

    test('the same content stored twice is one blob with one address', async () => {
      const store = await create();
      const first = await store.put(bytesOf('twice'));
      expect(await store.put(bytesOf('twice'))).toEqual(first);
      expect([...(await store.get(first.sha256))]).toEqual([...bytesOf('twice')]);
    });

    test('contents stored at the same time do not mix', async () => {
      const store = await create();
      const contents = Array.from({ length: 40 }, (_, index) => bytesOf(`content ${index % 10}`));
      const stored = await Promise.all(contents.map((content) => store.put(content)));
      expect(new Set(stored.map((each) => each.sha256)).size).toBe(10);
      for (const [index, { sha256: address }] of stored.entries()) {
        expect([...(await store.get(address))]).toEqual([...contents[index]!]);
      }
    });

    test('what the caller does to its bytes afterwards changes nothing', async () => {
      const store = await create();
      const content = bytesOf('mine');
      const putting = store.put(content);
      content.fill(0);
      const { sha256: address } = await putting;
      const read = await store.get(address);
      expect([...read]).toEqual([...bytesOf('mine')]);
      read.fill(0);
      expect([...(await store.get(address))]).toEqual([...bytesOf('mine')]);
    });

    test('an artifact that was never stored is not found', async () => {
      const store = await create();
      const address = sha256('never');
      expect(await store.has(address)).toBe(false);
      await expect(store.get(address)).rejects.toMatchObject({ code: 'artifact.not-found' });
    });

    test('what is not a sha-256 names no artifact', async () => {
      const store = await create();
      await store.put(bytesOf('x'));
      for (const address of unusableAddresses) {
        expect(await store.has(address)).toBe(false);
        await expect(store.get(address)).rejects.toMatchObject({ code: 'artifact.not-found' });
      }
    });

    test('16 MiB are stored, one byte more is refused', async () => {
      const store = await create();
      const most = new Uint8Array(limits.payloadBytesMax).fill(7);
      const { sha256: address } = await store.put(most);
      expect((await store.get(address)).length).toBe(limits.payloadBytesMax);
      const more = new Uint8Array(limits.payloadBytesMax + 1);
      await expect(store.put(more)).rejects.toMatchObject({
        code: 'input.too-large',
        details: { bytes: limits.payloadBytesMax + 1, limit: limits.payloadBytesMax },
      });
      expect(await store.has(sha256(more))).toBe(false);
    });

    test('a person is told where the artifact is', async () => {
      const store = await create();
      const { sha256: address } = await store.put(bytesOf('where'));
      expect(store.locate(address)).toContain(address);
    });
  });
};
