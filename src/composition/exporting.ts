/** Part of the composition root: a workflow's machine for other tools. Each format is loaded when it is asked for. */
import type { Workflow } from '../authoring/workflow.ts';
import type { ExportFormat } from '../core/export-formats.ts';

export type Exported = Pick<Workflow, 'id' | 'version' | 'description' | 'machine'>;

/** The statechart as one self-contained document. */
const draw = async ({ id, version, description, machine }: Exported): Promise<string> => {
  const [{ createElkChartLayout }, { chartBoxes }, { chartSvg }, { machineChart }] =
    await Promise.all([
      import('../adapters/elk/chart-layout.ts'),
      import('../core/chart/chart-boxes.ts'),
      import('../core/chart/chart-svg.ts'),
      import('../core/chart/machine-chart.ts'),
    ]);
  const heading = { title: `${id} ${version}`, description };
  const boxes = chartBoxes(machineChart(machine), heading);
  const layout = await createElkChartLayout();
  return chartSvg(boxes, await layout.place(boxes), heading);
};

const drawings = new WeakMap<Exported, Promise<string>>();

/** A layout takes the thread for a while: a server does it once for each workflow, however often it is asked. */
const drawn = (workflow: Exported): Promise<string> => {
  const drawing = drawings.get(workflow) ?? draw(workflow);
  drawings.set(workflow, drawing);
  return drawing;
};

/** @returns for `json` the config as a value, else text; the same machine gives the same */
export const exportWorkflow = async (
  format: ExportFormat,
  workflow: Exported,
): Promise<unknown> => {
  switch (format) {
    case 'json':
      return (await import('../core/export-config.ts')).exportConfig(workflow.machine);
    case 'mermaid':
      return (await import('../core/export-mermaid.ts')).exportMermaid(workflow.machine);
    case 'svg':
      return drawn(workflow);
    default:
      return (await import('../core/export-stately.ts')).exportStately(workflow.machine);
  }
};
