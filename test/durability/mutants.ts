/** Mistakes that somebody could make, each with the test that finds it. */

export interface Mutant {
  /** Each stands in its file exactly once. */
  readonly changes: readonly { file: string; from: string; to: string }[];
  readonly foundBy: { file: string; test: string };
}

const one = (file: string, from: string, to: string): Mutant['changes'] => [{ file, from, to }];

/** By the mistake that each of them is. */
export const mutants: Record<string, Mutant> = {
  'an append is acknowledged before its commit': {
    changes: one(
      'src/adapters/sqlite/group-commit.ts',
      'this.#settle(group, this.#write(group));',
      'this.#settle(group, undefined); setTimeout(() => this.#write(group), 5);',
    ),
    foundBy: { file: 'durability/kill-sweep.test.ts', test: 'after each append' },
  },
  'the log is not synced at a commit': {
    changes: [
      ...one('src/adapters/sqlite/connection.ts', 'synchronous = FULL', 'synchronous = NORMAL'),
      ...one(
        'src/adapters/sqlite/connection.ts',
        'const synchronousFull = 2',
        'const synchronousFull = 1',
      ),
    ],
    foundBy: { file: 'durability/acknowledgements.test.ts', test: 'the log is synced' },
  },
  'a decision is acted upon before it is stored': {
    changes: one(
      'src/runtime/run-actor.ts',
      'await storeDecision(this.#services, { state, decision }, how);',
      'void storeDecision(this.#services, { state, decision }, how);',
    ),
    foundBy: { file: 'runtime/store-away.test.ts', test: 'a person is told at once' },
  },
  'an append expects no revision': {
    changes: one(
      'src/runtime/store-decision.ts',
      "const expectedRevision = revision === -1 ? 'no-stream' : revision;",
      "const expectedRevision = 'any';",
    ),
    foundBy: { file: 'runtime/recovery.test.ts', test: 'never both win a revision' },
  },
  'recorded replies are not recalled': {
    changes: one(
      'src/runtime/model-calls.ts',
      'const recorded = [...step.replies];',
      'const recorded: Replied[] = [];',
    ),
    foundBy: { file: 'runtime/recovery.test.ts', test: 'asks no model again' },
  },
  'what is owed is not taken up after a start': {
    changes: one(
      'src/runtime/phases/running.ts',
      'this.#recovered.add(invocation);\n    }\n    this.#catchUp(state);',
      'this.#recovered.add(invocation);\n    }',
    ),
    foundBy: { file: 'runtime/timers.test.ts', test: 'fires at its time, once' },
  },
  'the end of a child counts each time it is told': {
    changes: one(
      'src/runtime/actor-system.ts',
      '(state.children.has(fact.data.run) ? fact : undefined)',
      '(state.children.size >= 0 ? fact : undefined)',
    ),
    foundBy: { file: 'runtime/children.test.ts', test: 'ends once for its parent' },
  },
  'a signal between runs counts each time it is delivered': {
    changes: one(
      'src/runtime/actor-system.ts',
      'state.signals.has(id) || state.ending !== undefined',
      'state.ending !== undefined',
    ),
    foundBy: { file: 'runtime/children.test.ts', test: 'reach a child in order' },
  },
  'a signal counts each time it is sent': {
    changes: one('src/runtime/run-commands.ts', 'if (state.signals.has(id)) return undefined;', ''),
    foundBy: { file: 'runtime/signals.test.ts', test: 'counts once' },
  },
  'a snapshot is believed without its hash': {
    changes: one(
      'src/runtime/phases/load-snapshot.ts',
      'at === undefined || at.metadata.hash !== snapshot.hash',
      'at === undefined',
    ),
    foundBy: { file: 'runtime/snapshots.test.ts', test: 'are not believed' },
  },
  'the result of an earlier invocation counts for a later one': {
    changes: [
      ...one(
        'src/runtime/cancellation.ts',
        'if (!this.#settled) this.abort(new Abandoned(reason));',
        'if (!this.#settled) void reason;',
      ),
      ...one(
        'src/runtime/step-runner.ts',
        'return open === undefined ? undefined : fact(open, state);',
        'return fact(open ?? step, state);',
      ),
      ...one(
        'src/core/decide.ts',
        'const actor = state.steps.get(reference)?.actor ?? state.children.get(reference)?.actor;\n  return actor !== undefined && state.actors.get(actor) === reference ? actor : undefined;',
        "const [name] = reference.split('#');\n  return [...state.steps.values()].find((step) => step.name === name)?.actor ?? state.children.get(reference)?.actor;",
      ),
    ],
    foundBy: { file: 'runtime/cancellation.test.ts', test: 'of the first visit does not count' },
  },
  'ids of events are random': {
    changes: one(
      'src/core/journal-codec.ts',
      'const id = eventIdOfHash(hash);',
      'const id = crypto.randomUUID() as string;',
    ),
    foundBy: { file: 'runtime/recovery.test.ts', test: 'asks no model again' },
  },
  'a step that may run only once runs again': {
    changes: one(
      'src/runtime/step-runner.ts',
      'if (once && starts > 0) return',
      'if (once && starts > 99) return',
    ),
    foundBy: { file: 'runtime/steps.test.ts', test: 'is not run again after a crash' },
  },
  'the time of the next attempt is forgotten': {
    changes: one(
      'src/core/evolve.ts',
      'step.retryAt = failed.retryAt;',
      'step.retryAt = undefined;',
    ),
    foundBy: { file: 'runtime/steps.test.ts', test: 'not before' },
  },
  'an actor that left memory goes on': {
    changes: [
      ...one(
        'src/runtime/run-actor.ts',
        'if (this.#retired) return',
        'if (this.#closing && this.#retired) return',
      ),
      ...one('src/runtime/phases/running.ts', 'this.#retired = true;', ''),
    ],
    foundBy: { file: 'runtime/passivation.test.ts', test: 'moved by one actor only' },
  },
  'a paid answer is dropped while the store is away': {
    changes: one('src/runtime/persistence.ts', "&& whenAway === 'wait'", "&& whenAway !== 'wait'"),
    foundBy: { file: 'runtime/store-away.test.ts', test: 'a paid answer is kept' },
  },
  'an owner appends without a check of its lease': {
    changes: one(
      'src/runtime/ownership/ownership.ts',
      'const options = this.#parts.store.features.checks ? { checks } : undefined;',
      'const options = checks.length > 9 ? { checks } : undefined;',
    ),
    foundBy: { file: 'ownership/losing.test.ts', test: 'and has not heard of it, is refused' },
  },
  'a process that lost a run goes on with the steps under way': {
    changes: one('src/runtime/run-actor.ts', 'this.#running.lose();', ''),
    foundBy: {
      file: 'ownership/losing.test.ts',
      test: 'an execution ends when the process hears that it lost the run',
    },
  },
  'a check on another stream is not looked at': {
    changes: one(
      'src/adapters/sqlite/write-side.ts',
      'const checks = checksOf([append], options);',
      'const checks = checksOf([append]); void options;',
    ),
    foundBy: {
      file: 'adapters/sqlite/event-store.test.ts',
      test: 'when one of the checked streams has moved',
    },
  },
  'the loser of a revision is told that it won when it retries': {
    changes: one(
      'src/adapters/sqlite/append-plan.ts',
      'stored.every(({ id }, index) => id === events[index]!.id)',
      'stored.every(({ id }) => id.length > 0)',
    ),
    foundBy: {
      file: 'adapters/sqlite/event-store.test.ts',
      test: 'is refused again when it retries',
    },
  },
  'an append in doubt counts as refused': {
    changes: one('src/runtime/persistence.ts', "return this.#ended !== 'all';", 'return false;'),
    foundBy: {
      file: 'runtime/store-away.test.ts',
      test: 'is repeated unchanged until it is known',
    },
  },
  'what a client writes into a journal is not checked': {
    changes: one(
      'src/kurrent-gateway/journal-guard.ts',
      'if (head !== undefined) this.#check(stream, head, events);',
      'if (head !== undefined) void head;',
    ),
    foundBy: { file: 'kurrent-gateway/journals.test.ts', test: 'at another revision than its own' },
  },
  'a group of appends over the wire forgets the checks of its members': {
    changes: one(
      'src/adapters/kurrentdb/group-commit.ts',
      'this.#appending.many(appends, [...checks.values()])',
      'this.#appending.many(appends, [...checks.values()].slice(9))',
    ),
    foundBy: {
      file: 'adapters/kurrentdb/group-commit.test.ts',
      test: 'that was replaced is refused',
    },
  },
  'rows of a read model are stored before their checkpoint': {
    changes: one(
      'src/adapters/sqlite/read-model.ts',
      "this.#statement('UPDATE models SET checkpoint = ? WHERE name = ? AND version = ?').run(\n        String(",
      "this.#database().exec('COMMIT');\n      this.#database().exec('BEGIN IMMEDIATE');\n      this.#statement('UPDATE models SET checkpoint = ? WHERE name = ? AND version = ?').run(\n        String(",
    ),
    foundBy: { file: 'durability/read-model-kills.test.ts', test: 'rows that are those of their' },
  },
};
