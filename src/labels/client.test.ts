import { dateTime } from '@grafana/data';

import { LabelClient } from './client';

const range = { from: dateTime('2026-01-01T00:00:30Z'), to: dateTime('2026-01-01T01:00:30Z') };

function client(answer: unknown) {
  const get = jest.fn(async (_path: string, _params?: Record<string, unknown>) => answer);
  return { get, client: new LabelClient(get as never) };
}

it('asks for label names with rounded times in nanoseconds', async () => {
  const { get, client: labels } = client({ status: 'success', data: ['app'] });
  expect(await labels.labelNames(range, '{}')).toEqual(['app']);
  expect(get).toHaveBeenCalledWith('loki/api/v1/labels', {
    start: '1767225600000000000',
    end: '1767229260000000000',
  });
});

it('knows that an answer without data is an empty list', async () => {
  const { client: labels } = client({ status: 'success' });
  expect(await labels.labelValues('a/b')).toEqual([]);
});

it('escapes a label in the path and narrows by selector', async () => {
  const { get, client: labels } = client({ data: ['x'] });
  await labels.labelValues('a/b', undefined, '{c="d"}');
  expect(get).toHaveBeenCalledWith('loki/api/v1/label/a%2Fb/values', { query: '{c="d"}' });
});

it('asks the same question once within a minute', async () => {
  const { get, client: labels } = client({ fields: [] });
  await labels.detectedFields('{a="b"}', range);
  await labels.detectedFields('{a="b"}', { from: dateTime(range.from.valueOf() + 5000), to: range.to });
  expect(get).toHaveBeenCalledTimes(1);
});

it('looks at the newest lines for suggestions and at all of them for lists', async () => {
  const { get, client: labels } = client({ fields: [], values: ['x'] });
  await labels.detectedFields('{a="b"}');
  await labels.detectedFields('{a="b"}', undefined, 'all');
  await labels.fieldValues('f', '{a="b"}');
  expect(await labels.fieldValues('f', '{a="b"}', undefined, 'all')).toEqual(['x']);
  expect(get.mock.calls.map(([, params]) => params?.line_limit)).toEqual([1000, 'all', 1000, 'all']);
});

it('looks at the newest lines where all are more than may be read', async () => {
  const get = jest.fn(async (_path: string, params?: Record<string, unknown>) => {
    if (params?.line_limit === 'all') {
      throw new Error('too many bytes');
    }
    return { values: ['new'] };
  });
  const labels = new LabelClient(get as never);
  expect(await labels.fieldValues('f', '{a="b"}', undefined, 'all')).toEqual(['new']);
  expect(get).toHaveBeenCalledTimes(2);
});
