import { DataFrame, DataQueryRequest, DataQueryResponse, FieldType, LoadingState, dateTime } from '@grafana/data';
import { Subject, lastValueFrom, of, toArray } from 'rxjs';

import { CambiumQuery } from '../types';
import { mergeResponses } from './merge';
import { partsOf } from './plan';
import { runSplit } from './run';

const DAY = 24 * 3600 * 1000;
const START = Date.UTC(2026, 0, 1);

function request(days: number, ...targets: Array<Partial<CambiumQuery>>) {
  const [from, to] = [dateTime(START), dateTime(START + days * DAY)];
  return {
    requestId: 'r',
    intervalMs: 60_000,
    range: { from, to, raw: { from, to } },
    targets: targets.map((target, i) => ({ refId: String.fromCharCode(65 + i), ...target })),
  } as DataQueryRequest<CambiumQuery>;
}

/** One line per hour, as a backend would give them. */
function lines({ range, targets }: DataQueryRequest<CambiumQuery>): DataQueryResponse {
  const data = targets.map(({ refId, maxLines = 1000, direction }) => {
    const times: number[] = [];
    for (let t = Math.ceil(range.from.valueOf() / 3_600_000) * 3_600_000; t < range.to.valueOf(); t += 3_600_000) {
      times.push(t);
    }
    const values = (direction === 'forward' ? times : times.reverse()).slice(0, maxLines);
    return {
      refId,
      length: values.length,
      meta: { stats: [{ displayName: 'Lines read', value: values.length }] },
      fields: [
        { name: 'timestamp', type: FieldType.time, config: {}, values },
        { name: 'body', type: FieldType.string, config: {}, values: values.map(String) },
      ],
    } as DataFrame;
  });
  return { data };
}

function points(refId: string, times: number[], app = 'x'): DataFrame {
  return {
    refId,
    length: times.length,
    fields: [
      { name: 'Time', type: FieldType.time, config: {}, values: times },
      { name: 'Value', type: FieldType.number, config: {}, labels: { app }, values: times.map((t) => t / 10) },
    ],
  };
}

describe('partsOf', () => {
  it('leaves a day whole and covers a week without gap or overlap', () => {
    expect(partsOf(request(1).range, 60_000)).toHaveLength(1);
    const parts = partsOf(request(7).range, 7000);
    expect(parts.length).toBeGreaterThan(3);
    expect(parts[0].from).toBe(START);
    expect(parts[parts.length - 1].to).toBe(START + 7 * DAY);
    parts.slice(1).forEach((part, i) => {
      expect(part.from).toBe(parts[i].to);
      expect(part.from % 7000).toBe(0);
    });
  });

  it('makes no more parts for a year', () => {
    expect(partsOf(request(365).range, 60_000).length).toBeLessThanOrEqual(10);
  });
});

describe('runSplit', () => {
  it.each([['backward'], ['forward']] as const)('gives the same lines as one request, %s', async (direction) => {
    const asked = request(5, { expr: '{a="b"}', direction, maxLines: 60 });
    const seen = await lastValueFrom(runSplit(asked, (part) => of(lines(part))).pipe(toArray()));
    const last = seen[seen.length - 1];
    expect(last.state).toBe(LoadingState.Done);
    expect(seen.slice(0, -1).every(({ state }) => state === LoadingState.Streaming)).toBe(true);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(1);
    expect(last.data[0].fields[0].values).toEqual(lines(asked).data[0].fields[0].values);
    expect(last.data[0].meta.stats[0].value).toBe(60);
  });

  it('asks no further when the lines are there', async () => {
    const ask = jest.fn((part: DataQueryRequest<CambiumQuery>) => of(lines(part)));
    await lastValueFrom(runSplit(request(9, { expr: '{a="b"}', maxLines: 30 }), ask));
    expect(ask).toHaveBeenCalledTimes(2);
    expect(ask.mock.calls[1][0].targets[0].maxLines).toBe(6);
  });

  it('asks short ranges and instants at once', async () => {
    const ask = jest.fn((part: DataQueryRequest<CambiumQuery>) => of(lines(part)));
    await lastValueFrom(runSplit(request(1, { expr: '{a="b"}' }), ask));
    await lastValueFrom(runSplit(request(9, { expr: 'rate({a="b"}[5m])', queryType: 'instant' }), ask));
    expect(ask).toHaveBeenCalledTimes(2);
  });

  it('ends with the answer to all the targets, whatever order they are read in', async () => {
    const targets = [
      { expr: '{a="b"}' },
      { expr: '{a="b"}', direction: 'forward' as const },
      { expr: 'rate({a="b"}[$__range])' },
    ];
    const seen = await lastValueFrom(runSplit(request(5, ...targets), (part) => of(lines(part))).pipe(toArray()));
    const last = seen[seen.length - 1];
    expect(last.state).toBe(LoadingState.Done);
    expect(last.data.map(({ refId, length }) => [refId, length])).toEqual([
      ['A', 120],
      ['B', 120],
      ['C', 120],
    ]);
    expect(new Set(seen.map(({ key }) => key)).size).toBe(1);
    expect(seen.slice(0, -1).every(({ state }) => state === LoadingState.Streaming)).toBe(true);
  });

  it('cancels the part that runs', () => {
    const part = new Subject<DataQueryResponse>();
    const subscription = runSplit(request(5, { expr: '{a="b"}' }), () => part).subscribe();
    expect(part.observed).toBe(true);
    subscription.unsubscribe();
    expect(part.observed).toBe(false);
  });

  it('keeps what is there when a part fails', async () => {
    let calls = 0;
    const ask = (part: DataQueryRequest<CambiumQuery>) =>
      of(calls++ ? { data: [], errors: [{ message: 'limit' }] } : lines(part));
    const last = await lastValueFrom(runSplit(request(5, { expr: '{a="b"}' }), ask));
    expect(last).toMatchObject({ state: LoadingState.Error, errors: [{ message: 'limit' }] });
    expect(last.data[0].length).toBe(24);
    expect(calls).toBe(2);
  });
});

describe('mergeResponses', () => {
  it('puts points in the order of time and a point at the seam once', () => {
    const late = { data: [points('A', [30, 40])] };
    const merged = mergeResponses(late, { data: [points('A', [10, 20, 30]), points('A', [10], 'y')] }, true);
    expect(merged.data.map((frame) => frame.fields[0].values)).toEqual([[10, 20, 30, 40], [10]]);
    expect(merged.data[0].length).toBe(4);
    expect(merged.data[0].fields[1].values).toEqual([1, 2, 3, 4]);
  });

  it('tells a notice once', () => {
    const frame = () => ({ ...points('A', []), meta: { notices: [{ severity: 'info', text: 'n' }] } }) as DataFrame;
    const merged = mergeResponses({ data: [frame()] }, { data: [frame()] }, true);
    expect(merged.data[0].meta.notices).toHaveLength(1);
  });
});
