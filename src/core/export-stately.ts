/**
 * A machine as one module that imports only `xstate`: `setup({ stubs }).createMachine(<JSON literal>)`, to paste into the
 * Stately editor or any tool that reads XState source.
 *
 * 1. The config is a literal, whatever built the machine.
 * 2. Everything it names has a stub, so the module runs as it stands.
 */
import type { AnyStateMachine } from 'xstate';
import { exportConfig, type JsonConfig } from './export-config.ts';

interface Names {
  readonly actions: Set<string>;
  readonly guards: Set<string>;
  readonly actors: Set<string>;
  readonly delays: Set<string>;
}

const list = (value: unknown): unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const nameIn = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value;
  const type = (value as { type?: unknown } | null)?.type;
  return typeof type === 'string' ? type : undefined;
};

const addNames = (names: Set<string>, values: unknown): void => {
  for (const value of list(values)) {
    const name = nameIn(value);
    if (name !== undefined) names.add(name);
  }
};

const collectGuard = (names: Names, guard: unknown): void => {
  addNames(names.guards, guard);
};

const collectTransitions = (names: Names, transitions: unknown): void => {
  for (const transition of list(transitions)) {
    if (typeof transition !== 'object' || transition === null) continue;
    const { actions, guard } = transition as { actions?: unknown; guard?: unknown };
    addNames(names.actions, actions);
    if (guard !== undefined) collectGuard(names, guard);
  }
};

const collectState = (names: Names, state: JsonConfig): void => {
  const { entry, exit, always, onDone, on, after, invoke, states } = state;
  addNames(names.actions, entry);
  addNames(names.actions, exit);
  for (const transitions of [always, onDone, ...Object.values(on ?? {})]) {
    collectTransitions(names, transitions);
  }
  for (const [delay, transitions] of Object.entries(after ?? {})) {
    if (!/^\d+$/.test(delay)) names.delays.add(delay);
    collectTransitions(names, transitions);
  }
  for (const each of list(invoke) as JsonConfig[]) {
    addNames(names.actors, each['src']);
    for (const key of ['onDone', 'onError', 'onSnapshot']) collectTransitions(names, each[key]);
  }
  for (const child of Object.values((states ?? {}) as Record<string, JsonConfig>)) {
    collectState(names, child);
  }
};

const emptyNames = (): Names => ({
  actions: new Set(),
  guards: new Set(),
  actors: new Set(),
  delays: new Set(),
});

/** Static values cannot hold a function: what is computed is left out, and the context is shown as it begins. */
const withoutFunctions = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutFunctions);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => !(typeof part === 'object' && part !== null && '$function' in part))
      .map(([key, part]) => [key, withoutFunctions(part)]),
  );
};

/** What a context factory gives without an input, when it gives JSON. */
const initialContext = (machine: AnyStateMachine): { context?: unknown } => {
  const { context } = machine.config as { context?: unknown };
  if (typeof context !== 'function') return {};
  try {
    const made: unknown = context({ input: {}, spawn: () => ({}), self: {} });
    return { context: JSON.parse(JSON.stringify(made)) as unknown };
  } catch {
    return {};
  }
};

const stubs = (kind: string, names: ReadonlySet<string>, stub: string): string[] =>
  names.size === 0
    ? []
    : [
        `  ${kind}: {`,
        ...[...names].map((name) => `    ${JSON.stringify(name)}: ${stub},`),
        '  },',
      ];

/** The source of a module whose `machine` has the same states as this one. */
export const exportStately = (machine: AnyStateMachine): string => {
  const config = exportConfig(machine);
  const names = emptyNames();
  collectState(names, config);
  const literal = { ...(withoutFunctions(config) as object), ...initialContext(machine) };
  const imports = names.actors.size === 0 ? 'setup' : 'fromPromise, setup';
  return [
    `import { ${imports} } from 'xstate';`,
    '',
    'export const machine = setup({',
    ...stubs('actors', names.actors, 'fromPromise(async () => ({}))'),
    ...stubs('guards', names.guards, '() => true'),
    ...stubs('actions', names.actions, '() => {}'),
    ...stubs('delays', names.delays, '1000'),
    `}).createMachine(${JSON.stringify(literal, null, 2)});`,
    '',
  ].join('\n');
};
