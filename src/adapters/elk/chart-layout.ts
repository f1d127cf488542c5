/**
 * Places by the Eclipse Layout Kernel (elkjs): layers from top to bottom, right-angled lines around the boxes.
 *
 * It is loaded when a chart is drawn, and runs in this thread: some 100 ms for a chart of ten states.
 */
import type { ElkExtendedEdge, ElkNode, LayoutOptions } from 'elkjs';
import type { Box, Boxes } from '../../core/chart/chart-boxes.ts';
import type { Place, PlacedChart, Point } from '../../core/chart/placed-chart.ts';
import type { ChartLayout } from '../../ports/chart-layout.ts';

const margin = 16;

/** Of each level: in ELK they are not inherited. */
const levelOptions: LayoutOptions = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '14',
  'elk.layered.spacing.nodeNodeBetweenLayers': '26',
  'elk.layered.spacing.edgeNodeBetweenLayers': '16',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '14',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
};

const rootOptions: LayoutOptions = {
  ...levelOptions,
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.padding': `[top=${margin},left=${margin},bottom=${margin},right=${margin}]`,
  'elk.randomSeed': '1',
};

const nodeOf = (box: Box): ElkNode => {
  const { id, width, height } = box;
  if (!('inside' in box) || box.inside.length === 0) return { id, width, height };
  return {
    id,
    children: box.inside.map(nodeOf),
    layoutOptions: {
      ...levelOptions,
      'elk.padding': `[top=${box.headerHeight + 10},left=20,bottom=20,right=20]`,
      'elk.nodeSize.constraints': 'MINIMUM_SIZE',
      'elk.nodeSize.minimum': `(${width},${height})`,
    },
  };
};

/** Where each box stands among its neighbours, on each level from the outermost on. */
const ranks = (root: Box): ReadonlyMap<string, readonly number[]> => {
  const found = new Map<string, readonly number[]>();
  const visit = (box: Box, rank: readonly number[]): void => {
    found.set(box.id, rank);
    if (!('inside' in box)) return;
    box.inside.forEach((each, index) => visit(each, [...rank, index]));
  };
  visit(root, []);
  return found;
};

/**
 * ELK gets no loops: a line that leads back in the order of the boxes is laid out the other way round. Its own ways of
 * breaking loops either do not ask for that order or fail on nested boxes (eclipse-elk/elk, issue 1182).
 */
const leadsBack = (from: readonly number[], to: readonly number[]): boolean => {
  const index = from.findIndex((rank, level) => rank !== to[level]);
  const [own, other] = [from[index], to[index]];
  return own !== undefined && other !== undefined && own > other;
};

const collectPlaces = (node: ElkNode, places: Map<string, Place>): void => {
  const { id, x = 0, y = 0, width = 0, height = 0 } = node;
  places.set(id, { x, y, width, height });
  for (const child of node.children ?? []) collectPlaces(child, places);
};

const wayOf = (edge: ElkExtendedEdge): Point[] =>
  (edge.sections ?? []).flatMap(({ startPoint, bendPoints = [], endPoint }) => [
    startPoint,
    ...bendPoints,
    endPoint,
  ]);

export const createElkChartLayout = async (): Promise<ChartLayout> => {
  const { default: Elk } = await import('elkjs');
  return {
    place: async ({ root, lines }: Boxes): Promise<PlacedChart> => {
      const rankOf = ranks(root);
      const back = new Set(
        lines
          .filter(({ from, to }) => leadsBack(rankOf.get(from)!, rankOf.get(to)!))
          .map(({ id }) => id),
      );
      const graph: ElkNode = {
        id: 'canvas',
        layoutOptions: rootOptions,
        children: [nodeOf(root)],
        edges: lines.map(({ id, from, to }) =>
          back.has(id)
            ? { id, sources: [to], targets: [from] }
            : { id, sources: [from], targets: [to] },
        ),
      };
      const laidOut = await new Elk.default().layout(graph);
      const places = new Map<string, Place>();
      for (const child of laidOut.children ?? []) collectPlaces(child, places);
      const ways = new Map(
        laidOut.edges?.map((edge) => [
          edge.id,
          back.has(edge.id) ? wayOf(edge).toReversed() : wayOf(edge),
        ]),
      );
      return { width: laidOut.width ?? 0, height: laidOut.height ?? 0, places, ways };
    },
  };
};
