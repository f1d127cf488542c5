/** Recorded answers against those of a replay, scenario by scenario. */
import { readFileSync } from 'node:fs';

export interface Step {
  readonly group: string;
  readonly scenario: string;
  readonly step: number;
  readonly call: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code?: number; readonly name?: string };
}

export interface Difference {
  readonly step: number;
  /** Where in the step, for instance `.result.position`. */
  readonly path: string;
  readonly wanted: unknown;
  readonly got: unknown;
}

export interface Scenario {
  readonly group: string;
  readonly name: string;
  readonly differences: readonly Difference[];
}

export const readSteps = (path: string): Step[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Step);

const byScenario = (steps: readonly Step[]): Map<string, Step[]> => {
  const groups = new Map<string, Step[]>();
  for (const step of steps) groups.set(step.scenario, [...(groups.get(step.scenario) ?? []), step]);
  return groups;
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function* pathsThatDiffer(
  wanted: unknown,
  got: unknown,
  path = '',
): Generator<Omit<Difference, 'step'>> {
  if (!isObject(wanted) || !isObject(got) || Array.isArray(wanted) !== Array.isArray(got)) {
    if (wanted !== got) yield { path, wanted, got };
    return;
  }
  for (const name of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
    yield* pathsThatDiffer(wanted[name], got[name], `${path}.${name}`);
  }
}

/** Every recorded scenario with what is different now; one that was not replayed differs in all its steps. */
export const compare = (recorded: readonly Step[], replayed: readonly Step[]): Scenario[] => {
  const answers = byScenario(replayed);
  return [...byScenario(recorded)].map(([name, steps]) => {
    const got = answers.get(name) ?? [];
    const count = Math.max(steps.length, got.length);
    const differences = Array.from({ length: count }, (_, index) =>
      [...pathsThatDiffer(steps[index], got[index])].map((one) => ({ step: index + 1, ...one })),
    );
    return { group: steps[0]!.group, name, differences: differences.flat() };
  });
};
