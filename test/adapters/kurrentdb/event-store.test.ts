import { openKurrentDbEventStore } from '../../../src/adapters/kurrentdb/event-store.ts';
import { OutcomeUnknown } from '../../../src/core/errors.ts';
import { eventStoreContract } from '../../contracts/event-store-contract.ts';
import { isBadNetwork, sharedServer } from '../../kurrentdb/server.ts';
import { decorated } from '../../runtime/kit.ts';

const server = sharedServer();

const open = async () => openKurrentDbEventStore({ connectionString: await server() });

/** What is in doubt is asked again unchanged, as the runtime does. */
const untilKnown = async <Result>(ask: () => Promise<Result>): Promise<Result> => {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof OutcomeUnknown) return untilKnown(ask);
    throw error;
  }
};

const openPatient = async () => {
  const store = await open();
  return decorated(store, {
    append: (...append) => untilKnown(() => store.append(...append)),
    appendAll: (...append) => untilKnown(() => store.appendAll(...append)),
  });
};

/** What no client can do where answers are lost. */
const lostAnswers = [
  {
    reason: 'an append that expects any revision and is repeated beside others may be stored twice',
    titles: ['a long stream is read whole and in order, in either direction'],
  },
  {
    reason: 'an append that revives a deleted stream is not known again when it is repeated',
    titles: [
      'a deleted stream goes on at the revision where it was',
      'a stream may be deleted again',
    ],
  },
  {
    reason: 'what is in doubt when the store is closed cannot be asked again',
    titles: ['closing waits for the appends in flight'],
  },
];

eventStoreContract(
  isBadNetwork
    ? { name: 'kurrentdb on a bad network', open: openPatient, skip: lostAnswers }
    : { name: 'kurrentdb', open },
);
