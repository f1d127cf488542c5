/** The public API of `ecl/testing`: what a test of a workflow needs. */
export type { Script } from '../adapters/scripted/script.ts';
export { provideFile, provideModel, type ProvidedFile } from './plain-actors.ts';
export { scriptedModel, type ScriptedModel } from './scripted-model.ts';
export { SimulatedClock } from './simulated-clock.ts';
export { createTestEcl, expectReplay, simulateRestart, type TestEclOptions } from './test-ecl.ts';
