import { DataFrame, DataQueryRequest, LogRowContextQueryDirection, LogRowModel, dateTime } from '@grafana/data';

import { labelTypeOf } from '../frames/labelTypes';
import { sliceFrame } from '../frames/slice';
import { matcherText } from '../logql/edit';
import { CambiumQuery } from '../types';

const HOUR_MS = 60 * 60 * 1000;

/**
 * How far to look, in turn. The first is enough for a busy stream and cheap for all; the last finds the neighbours in a
 * stream that is quiet for days, for which a fixed window would show nothing.
 */
export const CONTEXT_WINDOWS_MS = [2 * HOUR_MS, 30 * 24 * HOUR_MS];
export const CONTEXT_LINES = 50;

/** A label that may be part of the context's selector. */
export interface ContextLabel {
  name: string;
  value: string;
  enabled: boolean;
}

/** The stream labels of a row. All on: context is what stands beside the line in its own stream. */
export function contextLabels(row: LogRowModel): ContextLabel[] {
  return Object.entries(row.labels)
    .filter(([name]) => {
      const type = labelTypeOf(name, row.dataFrame, row.rowIndex);
      return type === 'I' || (type === undefined && name !== 'detected_level');
    })
    .map(([name, value]) => ({ name, value, enabled: true }));
}

export function contextSelector(labels: ContextLabel[]): string {
  const enabled = labels.filter((label) => label.enabled);
  return `{${enabled.map(({ name, value }) => matcherText({ label: name, op: '=', value })).join(', ')}}`;
}

export function contextQuery(
  labels: ContextLabel[],
  backward: boolean,
  limit: number,
  original?: CambiumQuery
): CambiumQuery {
  return {
    refId: `log-context-${backward ? 'before' : 'after'}`,
    datasource: original?.datasource,
    expr: contextSelector(labels),
    queryType: 'range',
    maxLines: limit,
    direction: backward ? 'backward' : 'forward',
  };
}

export function contextRequest(
  row: LogRowModel,
  query: CambiumQuery,
  windowMs: number
): DataQueryRequest<CambiumQuery> {
  const backward = query.direction === 'backward';
  // Lines of the same millisecond may lie on both sides; they are cut by their place in the answer.
  const from = dateTime(backward ? row.timeEpochMs - windowMs : row.timeEpochMs);
  const to = dateTime(backward ? row.timeEpochMs + 1 : row.timeEpochMs + windowMs);
  return {
    requestId: `${query.refId}-${row.uid}`,
    targets: [query],
    range: { from, to, raw: { from, to } },
    interval: '1s',
    intervalMs: 1000,
    scopedVars: {},
    timezone: 'UTC',
    app: 'explore',
    startTime: Date.now(),
  };
}

export function isBackward(direction?: LogRowContextQueryDirection): boolean {
  return direction !== LogRowContextQueryDirection.Forward;
}

/** The rows behind the line itself, in the order of the answer; all when the line is not among them. */
export function rowsBeyond(frame: DataFrame, row: LogRowModel): DataFrame {
  const ids = frame.fields.find(({ name }) => name === 'id')?.values ?? [];
  const own = ids.indexOf(row.rowId ?? row.uid.replace(/^[A-Z]+_/, ''));
  return own < 0 ? frame : sliceFrame(frame, own + 1);
}
