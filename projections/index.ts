/** The read models that ECL keeps. */
export { artifacts } from './artifacts.ts';
export { modelUsage } from './model-usage.ts';
export { runSummaries } from './run-summaries.ts';
export { runTimeline } from './run-timeline.ts';
