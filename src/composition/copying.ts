/** Part of the composition root: opens two stores and copies the journals of one into the other. */
import { shownStore } from '../config.ts';
import { workersStream } from '../core/leases.ts';
import { limits } from '../core/limits.ts';
import { openStores, type Stores } from '../main.ts';
import { checkNobodyWorks, copyJournals, type Copied } from '../runtime/copy-journals.ts';

export interface CopyStoresOptions {
  readonly from: string;
  readonly to: string;
  /** Where artifacts are, of a store that keeps none itself. */
  readonly dataFolder: string;
  readonly onProgress?: (events: number) => void;
}

export type CopiedStores = Copied & {
  readonly from: string;
  readonly to: string;
  /** Which process writes to the source meanwhile, if one does. */
  readonly writer?: string;
};

const close = async ({ events, reads }: Stores): Promise<void> => {
  reads.close();
  await events.close();
};

/** Whether any process shows itself within the time of two signs of life. */
const isWorkedOn = async ({ events }: Stores): Promise<boolean> => {
  const signal = AbortSignal.timeout(2 * limits.leaseBeatMs);
  const filter = { streamPrefixes: [workersStream] };
  for await (const item of events.subscribe({ from: 'end', filter, signal })) {
    if (item.kind === 'event') return true;
  }
  return false;
};

/**
 * Copies all journals, and the artifacts that they name. It changes nothing of the source.
 *
 * @throws EclError `usage.invalid` when processes work on the other store, and whatever keeps a store from being opened
 */
export const copyStores = async (options: CopyStoresOptions): Promise<CopiedStores> => {
  const { dataFolder, onProgress } = options;
  const from = await openStores(options.from, 'read', dataFolder);
  try {
    const to = await openStores(options.to, 'write', dataFolder);
    try {
      await checkNobodyWorks(to.events, () => isWorkedOn(to));
      const copied = await copyJournals({
        from,
        to,
        ...(onProgress === undefined ? {} : { onProgress }),
      });
      const { holder } = (await from.events.describe()).details;
      return {
        ...copied,
        from: shownStore(options.from),
        to: shownStore(options.to),
        ...(holder === undefined ? {} : { writer: String(holder) }),
      };
    } finally {
      await close(to);
    }
  } finally {
    await close(from);
  }
};
