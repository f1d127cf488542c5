/**
 * What every event store does, in one suite: modelled on the journal TCK of Pekko, with expected revisions, retries,
 * appends over several streams and subscriptions added.
 *
 * 1. The cases share a store and write to streams of their own, so the store may hold anything else beside them.
 * 2. Positions may have gaps: only their order counts.
 * 3. A store that cannot pass a case says why; a reason for a case that does not exist is an error.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventStore } from '../../src/ports/event-store.ts';
import { appendingToMany } from './event-store/appending-to-many.ts';
import { appending } from './event-store/appending.ts';
import { checking } from './event-store/checking.ts';
import { defineContract, type EventStoreHarness } from './event-store/kit.ts';
import { reading } from './event-store/reading.ts';
import { repeating } from './event-store/repeating.ts';
import { streamLife } from './event-store/stream-life.ts';
import { subscribing } from './event-store/subscribing.ts';

export const eventStoreContract = (harness: EventStoreHarness): void => {
  describe(`the event store contract: ${harness.name}`, () => {
    let store: EventStore;
    beforeAll(async () => {
      store = await harness.open();
    });
    afterAll(async () => {
      await store.close();
    });

    const titles = new Set<string>();
    const contract = defineContract(harness, () => store);
    const counted: typeof contract = {
      ...contract,
      check: (title, run) => {
        titles.add(title);
        contract.check(title, run);
      },
    };
    describe('appending', () => appending(counted));
    describe('repeating', () => repeating(counted));
    describe('appending to many streams', () => appendingToMany(counted));
    describe('checking other streams', () => checking(counted));
    describe('reading', () => reading(counted));
    describe('subscribing', () => subscribing(counted));
    describe('the life of streams and stores', () => streamLife(counted));

    test('every case that is skipped exists', () => {
      const skipped = (harness.skip ?? []).flatMap(({ titles: names }) => names);
      expect(skipped.filter((title) => !titles.has(title))).toEqual([]);
    });
  });
};
