/** A process that stores artifacts until it is killed, and prints each address once it was acknowledged. */
import { writeSync } from 'node:fs';
import { createFilesystemArtifactStore } from '../../../src/adapters/filesystem/artifact-store.ts';

const [folder, seed] = process.argv.slice(2);
const store = createFilesystemArtifactStore({ folder: folder! });

/** Contents repeat over processes, so that several write the same address. */
const contentOf = (index: number): Uint8Array =>
  new Uint8Array(1 + ((index * 7919) % 200_000)).fill(index % 251);

writeSync(1, 'ready\n');
for (let index = Number(seed); ; index += 4) {
  const batch = [index, index + 1, index + 2, index + 3].map((each) => store.put(contentOf(each)));
  for (const { sha256 } of await Promise.all(batch)) writeSync(1, `${sha256}\n`);
}
