// Every expectation on every state of a stream: the table that all the writing calls share.

const STATES = {
  missing: { events: 0 },
  existing: { events: 3 },
  'soft-deleted': { events: 3, then: 'deleted' },
  tombstoned: { events: 3, then: 'tombstoned' },
};

/** The last revision is 2 where there is one: 0 is stale, 2 is exact, 3 lies ahead. */
const EXPECTATIONS = ['no_stream', 'any', 'stream_exists', 0, 2, 3];

/** One scenario a state, one step an expectation, each on a stream of its own. `write` gets the context, the stream and the expectation. */
export const matrix = (name, write) =>
  Object.fromEntries(
    Object.entries(STATES).map(([state, given]) => [
      `${name}-${state}-stream`,
      async (t) => {
        for (const expect of EXPECTATIONS) {
          const { stream } = await t.given(`${expect}`, given);
          await write(t.as(`${expect} on ${state}`), stream, expect);
        }
      },
    ]),
  );
