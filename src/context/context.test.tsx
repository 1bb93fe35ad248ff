import React from 'react';
import { DataFrame, DataQueryRequest, FieldType, LogRowContextQueryDirection, LogRowModel } from '@grafana/data';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { of } from 'rxjs';

import { CambiumQuery } from '../types';
import { ContextUi } from './ContextUi';
import { ContextProvider } from './provider';

const types = { app: 'I', env: 'I', trace_id: 'S', status: 'P' };
const row = {
  uid: 'A_id2',
  rowId: 'id2',
  rowIndex: 0,
  timeEpochMs: 1_000_000,
  labels: { app: 'x', env: 'prod', trace_id: 't', status: '5' },
  dataFrame: {
    length: 1,
    fields: [{ name: 'labelTypes', type: FieldType.other, config: {}, values: [types] }],
  },
} as unknown as LogRowModel;

function frame(ids: string[]): DataFrame {
  return { length: ids.length, fields: [{ name: 'id', type: FieldType.string, config: {}, values: ids }] };
}

it('asks the stream of the line, not its parsed fields, up to the line', async () => {
  const ask = jest.fn((_: DataQueryRequest<CambiumQuery>) => of({ data: [frame(['id3', 'id2', 'id1', 'id0'])] }));
  const provider = new ContextProvider(ask);
  const options = { direction: LogRowContextQueryDirection.Backward, limit: 2 };
  const answer = await provider.rows(row, options);

  const [request] = ask.mock.calls[0];
  expect(request.targets[0]).toMatchObject({ expr: '{app="x", env="prod"}', direction: 'backward', maxLines: 3 });
  expect(request.range.to.valueOf()).toBe(1_000_001);
  expect(ask).toHaveBeenCalledTimes(1);
  // What is listed before the line is not older than it.
  expect(answer.data[0].fields[0].values).toEqual(['id1', 'id0']);
});

it('looks further when the stream is quiet', async () => {
  const ask = jest.fn((_: DataQueryRequest<CambiumQuery>) => of({ data: [frame(['id2'])] }));
  const provider = new ContextProvider(ask);
  await provider.rows(row, { direction: LogRowContextQueryDirection.Forward });
  const spans = ask.mock.calls.map(([{ range }]) => range.to.diff(range.from));
  expect(spans).toHaveLength(2);
  expect(spans[1]).toBeGreaterThan(spans[0] * 100);
});

it('fails with the reason of the backend', async () => {
  const provider = new ContextProvider(() => of({ data: [], errors: [{ message: 'too much' }] }));
  await expect(provider.rows(row)).rejects.toThrow('too much');
});

it('lets the reader leave labels out, but not all', async () => {
  const provider = new ContextProvider(() => of({ data: [] }));
  const onChange = jest.fn();
  render(<ContextUi row={row} provider={provider} onChange={onChange} />);
  await userEvent.click(screen.getByText('env="prod"'));
  expect(provider.query(row).expr).toBe('{app="x"}');
  await userEvent.click(screen.getByText('app="x"'));
  expect(provider.query(row).expr).toBe('{app="x"}');
  expect(onChange).toHaveBeenCalledTimes(1);
  await userEvent.click(screen.getByRole('button', { name: 'Revert' }));
  expect(provider.query(row).expr).toBe('{app="x", env="prod"}');
});
