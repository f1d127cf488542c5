/** The port for places: where the boxes of a chart stand, and which way its lines take. */
import type { Boxes } from '../core/chart/chart-boxes.ts';
import type { PlacedChart } from '../core/chart/placed-chart.ts';

export interface ChartLayout {
  /** The same boxes get the same places, whatever was laid out before. */
  place(boxes: Boxes): Promise<PlacedChart>;
}
