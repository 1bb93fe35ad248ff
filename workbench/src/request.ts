import { CoreApp, DataQuery, DataQueryRequest, TimeRange, rangeUtil } from '@grafana/data';

import { filters } from './address';

/** Points that fit into the width of the charts. */
const MAX_DATA_POINTS = 600;
let counter = 0;

export function makeRequest(
  targets: DataQuery[],
  range: TimeRange,
  extra: Partial<DataQueryRequest<DataQuery>> = {}
): DataQueryRequest<DataQuery> {
  const interval = rangeUtil.calculateInterval(range, extra.maxDataPoints ?? MAX_DATA_POINTS, '1s');
  counter++;
  return {
    app: CoreApp.Explore,
    requestId: `workbench-${counter}`,
    targets,
    range,
    interval: interval.interval,
    intervalMs: interval.intervalMs,
    maxDataPoints: MAX_DATA_POINTS,
    scopedVars: {
      __interval: { text: interval.interval, value: interval.interval },
      __interval_ms: { text: String(interval.intervalMs), value: interval.intervalMs },
    },
    timezone: 'browser',
    startTime: Date.now(),
    filters,
    ...extra,
  };
}
