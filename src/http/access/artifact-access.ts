/**
 * Which artifacts a token may read, and let a run read: those that a run of its tenant stored, and those that it brought.
 * One of another tenant is not there.
 */
import { EclError } from '../../core/errors.ts';
import { everyTenant } from '../../ports/token-store.ts';
import type { Ecl } from '../../runtime/ecl.ts';
import type { Uploads } from '../uploads.ts';
import type { Principal } from './authorize.ts';

export class ArtifactAccess {
  readonly #ecl: Ecl;
  readonly #uploads: Uploads;

  constructor(ecl: Ecl, uploads: Uploads) {
    this.#ecl = ecl;
    this.#uploads = uploads;
  }

  /** @throws EclError `artifact.not-found` */
  async require(principal: Principal, sha256: string): Promise<void> {
    if (!(await this.#mayRead(principal, sha256))) {
      throw new EclError('artifact.not-found', { sha256 });
    }
  }

  /**
   * Checks what looks like a reference to an artifact in something that a run is given.
   *
   * @throws EclError `artifact.not-found`
   */
  async requireAllIn(principal: Principal, value: unknown): Promise<void> {
    if (principal.tenant === everyTenant) return;
    const { artifacts } = this.#ecl.system.services;
    for (const sha256 of new Set(digestsIn(value))) {
      // A digest of something else is none of our business.
      if (await artifacts.has(sha256)) await this.require(principal, sha256);
    }
  }

  async #mayRead({ tenant }: Principal, sha256: string): Promise<boolean> {
    if (tenant === everyTenant) return true;
    if (await this.#uploads.has(tenant, sha256)) return true;
    const { readModels } = this.#ecl;
    await readModels.caughtUp({ of: 'artifacts' });
    return readModels.status.artifactsWith(sha256).some((each) => each.tenant === tenant);
  }
}

function* digestsIn(value: unknown): Iterable<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    if (name === 'sha256' && typeof part === 'string' && /^[0-9a-f]{64}$/.test(part)) yield part;
    else yield* digestsIn(part);
  }
}
