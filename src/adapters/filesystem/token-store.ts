/**
 * Tokens as a file: `tokens.json` in the folder of the store, mode 0600, with hashes only. It is read again when it has
 * changed, so that `ecl token revoke` reaches a server that runs.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { EclError } from '../../core/errors.ts';
import { checkName } from '../../core/ids.ts';
import { sha256 } from '../../core/sha256.ts';
import {
  everyTenant,
  scopes,
  type Scope,
  type TokenRecord,
  type TokenStore,
} from '../../ports/token-store.ts';
import { readPrivateJson, writePrivateJson } from './private-json.ts';

const Stored = z.strictObject({
  id: z.string(),
  tenant: z.string(),
  scope: z.enum(scopes),
  createdAt: z.string(),
  sha256: z.string(),
});
type Stored = z.infer<typeof Stored>;

const StoredFile = z.strictObject({ tokens: z.array(Stored) });

export const tokenFileName = 'tokens.json';

const damaged =
  'it is damaged; restore it from a backup, or remove it and make new tokens with `ecl token create`';

/** Enough to tell tokens apart where they are listed. */
const idLength = 12;

const withoutHash = ({ id, tenant, scope, createdAt }: Stored): TokenRecord => ({
  id,
  tenant,
  scope,
  createdAt,
});

class FileTokenStore implements TokenStore {
  readonly #path: string;
  readonly #createSecret: () => string;
  #byHash: ReadonlyMap<string, Stored> = new Map();
  #readAt = '';

  constructor(folder: string, createSecret: () => string) {
    this.#path = join(folder, tokenFileName);
    this.#createSecret = createSecret;
  }

  create({ tenant, scope, now }: { tenant: string; scope: Scope; now: number }): {
    token: string;
    record: TokenRecord;
  } {
    if (tenant !== everyTenant) checkName('The tenant', tenant);
    const token = this.#createSecret();
    const hash = sha256(token);
    const createdAt = new Date(now).toISOString();
    const stored = { id: hash.slice(0, idLength), tenant, scope, createdAt, sha256: hash };
    this.#write([...this.#read().values(), stored]);
    return { token, record: withoutHash(stored) };
  }

  list(): readonly TokenRecord[] {
    return Array.from(this.#read().values(), withoutHash);
  }

  revoke(id: string): boolean {
    const tokens = [...this.#read().values()];
    const kept = tokens.filter((each) => each.id !== id);
    if (kept.length === tokens.length) return false;
    this.#write(kept);
    return true;
  }

  find(token: string): TokenRecord | undefined {
    return this.#read().get(sha256(token));
  }

  #write(tokens: readonly Stored[]): void {
    writePrivateJson(this.#path, { tokens });
    this.#readAt = '';
  }

  #read(): ReadonlyMap<string, Stored> {
    const stats = statSync(this.#path, { throwIfNoEntry: false, bigint: true });
    const changed = stats === undefined ? 'none' : `${stats.ino} ${stats.mtimeNs} ${stats.size}`;
    if (changed === this.#readAt) return this.#byHash;
    const value = readPrivateJson(this.#path, damaged);
    const parsed = StoredFile.safeParse(value === undefined ? { tokens: [] } : value);
    if (!parsed.success) {
      throw new EclError('store.unavailable', { store: this.#path, reason: damaged });
    }
    this.#byHash = new Map(parsed.data.tokens.map((each) => [each.sha256, each]));
    this.#readAt = changed;
    return this.#byHash;
  }
}

/**
 * @param createSecret makes a token of at least 128 bit of randomness
 */
export const createFileTokenStore = (options: {
  folder: string;
  createSecret: () => string;
}): TokenStore => new FileTokenStore(options.folder, options.createSecret);
