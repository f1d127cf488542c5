/**
 * Artifacts as files: `<folder>/<first two digits>/<sha-256>`. It is not a cache: nothing here expires.
 *
 * 1. A file under its final name is complete: content is written and synced elsewhere, then renamed.
 * 2. When `put` resolves, the content and every directory entry that leads to it are on the disk.
 * 3. Only 64 hex digits become a path, and no symbolic link below the folder is followed.
 * 4. What is read is hashed again: a damaged file is an error, never content.
 * 5. Reading creates nothing; the folder comes with the first `put`.
 */
import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { EclError, isEclError } from '../../core/errors.ts';
import { limits } from '../../core/limits.ts';
import { sha256 } from '../../core/sha256.ts';
import type { ArtifactStore } from '../../ports/artifact-store.ts';
import { errorCodeOf, makePrivateFolder, removeLeftovers, syncFolder } from './folders.ts';

export interface FilesystemArtifactStoreOptions {
  /** Made with the first `put`; it may be a link to a folder, what is below it may not. */
  readonly folder: string;
}

/** Where unfinished files lie; no address begins with it. */
const temporaryFolder = 'tmp';

const addressPattern = /^[0-9a-f]{64}$/;

// O_NONBLOCK: opening a named pipe somebody put there must not wait for its writer.
const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const createFlags =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const notFound = (address: string): EclError =>
  new EclError('artifact.not-found', { sha256: address.slice(0, 64) });

const corrupt = (address: string): EclError =>
  new EclError('artifact.corrupt', { sha256: address });

const writeTemporary = async (path: string, content: Uint8Array): Promise<void> => {
  const file = await open(path, createFlags, 0o600);
  try {
    await file.chmod(0o600);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
};

const readVerified = async (path: string, address: string): Promise<Uint8Array> => {
  const file = await open(path, readFlags);
  try {
    const status = await file.stat();
    if (!status.isFile() || status.size > limits.payloadBytesMax) throw corrupt(address);
    const content = await file.readFile();
    if (sha256(content) !== address) throw corrupt(address);
    return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  } finally {
    await file.close();
  }
};

class FilesystemArtifactStore implements ArtifactStore {
  readonly #folder: string;
  readonly #inFlight = new Map<string, Promise<void>>();
  /** Folders whose own entry this process has seen synced. */
  readonly #synced = new Set<string>();
  #opened: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = resolve(folder);
  }

  async put(content: Uint8Array): Promise<{ sha256: string; bytes: number }> {
    const bytes = content.byteLength;
    if (bytes > limits.payloadBytesMax) {
      const limit = limits.payloadBytesMax;
      throw new EclError('input.too-large', { what: 'The artifact', bytes, limit });
    }
    // The caller may reuse its buffer while this waits for the disk.
    const copy = new Uint8Array(content);
    const address = sha256(copy);
    const running = this.#inFlight.get(address);
    const writing = running ?? this.#store(address, copy);
    this.#inFlight.set(address, writing);
    try {
      await writing;
    } finally {
      if (this.#inFlight.get(address) === writing) this.#inFlight.delete(address);
    }
    return { sha256: address, bytes };
  }

  async get(address: string): Promise<Uint8Array> {
    if (!addressPattern.test(address)) throw notFound(address);
    try {
      await this.#refuseLinkedFolder(address);
      return await readVerified(this.#pathOf(address), address);
    } catch (error) {
      if (isEclError(error)) throw error;
      const code = errorCodeOf(error);
      if (code === 'ENOENT') throw notFound(address);
      // A link where a file belongs, or a file where a folder belongs: not what was stored.
      if (code === 'ELOOP' || code === 'ENOTDIR') throw corrupt(address);
      throw this.#unavailable(error);
    }
  }

  async has(address: string): Promise<boolean> {
    if (!addressPattern.test(address)) return false;
    try {
      await this.#refuseLinkedFolder(address);
      return (await lstat(this.#pathOf(address))).isFile();
    } catch (error) {
      if (isEclError(error) || ['ENOENT', 'ENOTDIR'].includes(errorCodeOf(error))) return false;
      throw this.#unavailable(error);
    }
  }

  locate(address: string): string {
    if (addressPattern.test(address)) return this.#pathOf(address);
    throw notFound(address);
  }

  #pathOf(address: string): string {
    return join(this.#folder, address.slice(0, 2), address);
  }

  async #refuseLinkedFolder(address: string): Promise<void> {
    const folder = await lstat(join(this.#folder, address.slice(0, 2)));
    if (!folder.isDirectory()) throw corrupt(address);
  }

  #unavailable(error: unknown): EclError {
    const details = { store: this.#folder, reason: errorCodeOf(error) };
    return new EclError('store.unavailable', details, { cause: error });
  }

  async #store(address: string, content: Uint8Array): Promise<void> {
    try {
      await this.#storeOnce(address, content);
    } catch (error) {
      if (isEclError(error)) throw error;
      if (errorCodeOf(error) !== 'ENOENT') throw this.#unavailable(error);
      // Somebody removed a folder or the unfinished file meanwhile: once more, from the folder on.
      await this.#storeOnce(address, content).catch((again: unknown) => {
        throw isEclError(again) ? again : this.#unavailable(again);
      });
    }
  }

  async #storeOnce(address: string, content: Uint8Array): Promise<void> {
    try {
      this.#opened ??= this.#open();
      await this.#opened;
      const shard = join(this.#folder, address.slice(0, 2));
      await this.#makeShard(shard);
      if (!(await this.#isStored(address))) await this.#write(address, content);
      await syncFolder(shard);
    } catch (error) {
      // What failed may be mended later (a full disk, a folder that is gone): the next put opens anew.
      this.#opened = undefined;
      this.#synced.clear();
      throw error;
    }
  }

  async #open(): Promise<void> {
    await makePrivateFolder(this.#folder, { recursive: true });
    const temporary = join(this.#folder, temporaryFolder);
    await makePrivateFolder(temporary);
    await removeLeftovers(temporary);
  }

  async #makeShard(shard: string): Promise<void> {
    if (this.#synced.has(shard)) return;
    await makePrivateFolder(shard);
    // Another process may have made it and died before syncing, so an existing one is synced too.
    await syncFolder(this.#folder);
    this.#synced.add(shard);
  }

  /** A damaged file counts as not stored: putting the content again mends it. */
  async #isStored(address: string): Promise<boolean> {
    try {
      await readVerified(this.#pathOf(address), address);
      return true;
    } catch {
      return false;
    }
  }

  async #write(address: string, content: Uint8Array): Promise<void> {
    const temporary = join(this.#folder, temporaryFolder, randomUUID());
    try {
      await writeTemporary(temporary, content);
      await rename(temporary, this.#pathOf(address));
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

/** Opens an artifact store over a folder, which is not touched before the first `put`. */
export const createFilesystemArtifactStore = (
  options: FilesystemArtifactStoreOptions,
): ArtifactStore => new FilesystemArtifactStore(options.folder);
