/** The part of `ecl` that projections need: a process that lives for a tenth of a second has no time to load the rest. */
export { EclError } from '../../../src/core/errors.ts';
export { isPayloadReference, projectedEvents } from '../../../src/runtime/projected-event.ts';
export { defineProjection } from '../../../src/runtime/projection.ts';
