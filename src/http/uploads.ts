/**
 * Which tenant brought which content. Artifacts are kept by what they hold, so the store does not know; without this,
 * whoever learns the digest of a file could read it.
 *
 * 1. It stands in a stream of each tenant, so it is as durable as the runs and the same for all servers of a store.
 */
import type { EventStore } from '../ports/event-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { IdGenerator } from '../ports/id-generator.ts';

interface Parts {
  readonly store: EventStore;
  readonly clock: Clock;
  readonly ids: IdGenerator;
}

interface Known {
  readonly digests: Set<string>;
  /** Revision up to which the stream was read. */
  revision: number;
}

const eventType = 'ArtifactUploaded';
const streamOf = (tenant: string): string => `uploads-${tenant}`;

const digestOf = (data: string): string => {
  const { sha256 } = JSON.parse(data) as { sha256?: unknown };
  return typeof sha256 === 'string' ? sha256 : '';
};

export class Uploads {
  readonly #parts: Parts;
  readonly #byTenant = new Map<string, Known>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async add(tenant: string, sha256: string): Promise<void> {
    if (await this.has(tenant, sha256)) return;
    const { store, clock, ids } = this.#parts;
    await store.append({
      stream: streamOf(tenant),
      expectedRevision: 'any',
      events: [
        {
          id: ids.uuid(),
          type: eventType,
          data: JSON.stringify({ sha256 }),
          metadata: { tenant, at: new Date(clock.now()).toISOString(), schema: 1 },
        },
      ],
    });
  }

  async has(tenant: string, sha256: string): Promise<boolean> {
    const known = this.#byTenant.get(tenant) ?? { digests: new Set<string>(), revision: -1 };
    this.#byTenant.set(tenant, known);
    if (known.digests.has(sha256)) return true;
    const { store } = this.#parts;
    for await (const event of store.readStream(streamOf(tenant), { from: known.revision + 1 })) {
      known.revision = Math.max(known.revision, event.revision);
      if (event.type === eventType) known.digests.add(digestOf(event.data));
    }
    return known.digests.has(sha256);
  }
}
