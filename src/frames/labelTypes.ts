import { DataFrame } from '@grafana/data';

import { LabelPlace } from '../logql/edit';

/** Where a label of a row comes from: stream, structured metadata, or a parser. */
export type LabelType = 'I' | 'S' | 'P';

const DISPLAY: Record<LabelType, string> = {
  I: 'Indexed label',
  S: 'Structured metadata',
  P: 'Parsed field',
};

export function labelTypeOf(key: string, frame: DataFrame | undefined, index: number | null): LabelType | undefined {
  const types = frame?.fields.find(({ name }) => name === 'labelTypes')?.values;
  if (!types) {
    return undefined;
  }
  const rows: Array<Record<string, LabelType> | undefined> = index === null ? [...types] : [types[index]];
  return rows.find((row) => row && key in row)?.[key];
}

/** The heading under which Grafana's log details list a label. */
export function labelDisplayType(key: string, frame: DataFrame | undefined, index: number | null): string | null {
  const type = labelTypeOf(key, frame, index);
  return type ? DISPLAY[type] : null;
}

/** Where a filter on a label belongs; a label of unknown origin is looked up wherever it is, which a stage does. */
export function placeOf(type: LabelType | undefined): LabelPlace {
  return type === 'I' ? 'selector' : 'pipeline';
}
