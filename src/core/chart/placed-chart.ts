/** What a layout gives: places for the boxes of a chart and ways for its lines, in pixels from the top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Place extends Point {
  readonly width: number;
  readonly height: number;
}

export interface PlacedChart {
  readonly width: number;
  readonly height: number;
  /** By the id of the box. */
  readonly places: ReadonlyMap<string, Place>;
  /** By the id of the line: from its beginning over its corners to its end. */
  readonly ways: ReadonlyMap<string, readonly Point[]>;
}
