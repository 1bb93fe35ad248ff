import { DataQueryRequest, SupplementaryQueryType, dateTime } from '@grafana/data';

import { CambiumQuery } from '../types';
import { logPartOf } from './sample';
import { supplementaryQuery, supplementaryRequest } from './support';

const log: CambiumQuery = { refId: 'A', expr: '{a="b"} |= "x"', maxLines: 10 };
const metric: CambiumQuery = { refId: 'B', expr: 'sum(rate({a="b"} | json [5m]))' };
const volume = { type: SupplementaryQueryType.LogsVolume } as const;
const sample = { type: SupplementaryQueryType.LogsSample } as const;

it('the volume of a log query is a query type of its own', () => {
  expect(supplementaryQuery(volume, log)).toMatchObject({ refId: 'log-volume-A', expr: log.expr, queryType: 'volume' });
  expect(supplementaryQuery(volume, metric)).toBeUndefined();
  expect(supplementaryQuery(volume, { ...log, hide: true })).toBeUndefined();
});

it('the sample of a metric query is what it counts', () => {
  expect(supplementaryQuery({ ...sample, limit: 50 }, metric)).toMatchObject({
    refId: 'log-sample-B',
    expr: '{a="b"} | json',
    maxLines: 50,
  });
  expect(supplementaryQuery(sample, log)).toBeUndefined();
});

it.each([
  ['rate({a="b"}[5m])', '{a="b"}'],
  ['sum(count_over_time({a="b"} |= "x" | logfmt [$__auto])) by (y)', '{a="b"} |= "x" | logfmt'],
  ['rate({a="b"}[5m]) / rate({a="c"}[5m])', undefined],
  ['{a="b"}', undefined],
])('the lines of %s are %s', (expr, lines) => {
  expect(logPartOf(expr)).toBe(lines);
});

it('a request keeps only the targets that have something to ask', () => {
  const range = { from: dateTime(0), to: dateTime(6 * 3_600_000) };
  const request = { targets: [log, metric], range, intervalMs: 1000 } as unknown as DataQueryRequest<CambiumQuery>;
  const volumes = supplementaryRequest(SupplementaryQueryType.LogsVolume, request)!;
  expect(volumes.targets).toHaveLength(1);
  // Bars wide enough to read, whatever the step of the graphs is.
  expect(volumes.intervalMs).toBeGreaterThanOrEqual(120_000);
  expect(supplementaryRequest(SupplementaryQueryType.LogsSample, request)?.intervalMs).toBe(1000);
  expect(supplementaryRequest(SupplementaryQueryType.LogsVolume, { ...request, targets: [metric] })).toBeUndefined();
});
