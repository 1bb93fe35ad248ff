import React, { useState } from 'react';
import { DataFrame, LoadingState, getDefaultTimeRange } from '@grafana/data';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { CambiumDataSource } from '../datasource';
import { CambiumQuery } from '../types';
import { QueryEditor } from './QueryEditor';

// Monaco needs a real browser; the browser suite covers it.
jest.mock('./editor/CodeField', () => ({
  CodeField: ({ value, onChange }: { value: string; onChange: (expr: string) => void }) => (
    <textarea aria-label="LogQL query" value={value} onChange={(event) => onChange(event.target.value)} />
  ),
}));

function setup(initial: CambiumQuery, series: DataFrame[] = []) {
  const data = { state: LoadingState.Done, series, timeRange: getDefaultTimeRange() };
  const onChange = jest.fn();
  const onRunQuery = jest.fn();
  function Parent() {
    const [query, setQuery] = useState(initial);
    onChange.mockImplementation(setQuery);
    return (
      <QueryEditor
        datasource={{} as CambiumDataSource}
        query={query}
        onChange={onChange}
        onRunQuery={onRunQuery}
        data={data}
      />
    );
  }
  render(<Parent />);
  return { onChange, onRunQuery };
}

const openOptions = () => userEvent.click(screen.getByRole('button', { name: /options/i }));

it('changes the expression without running it', async () => {
  const { onChange, onRunQuery } = setup({ refId: 'A', expr: '{a="b"' });
  await userEvent.type(screen.getByLabelText('LogQL query'), '}');
  expect(onChange).toHaveBeenCalledWith({ refId: 'A', expr: '{a="b"}' });
  expect(onRunQuery).not.toHaveBeenCalled();
});

it('tells in short what the closed options hold', () => {
  setup({ refId: 'A', expr: '{a="b"}', maxLines: 50, direction: 'forward' });
  expect(screen.getByText(/Line limit: 50/)).toBeInTheDocument();
  expect(screen.getByText(/Direction: Forward/)).toBeInTheDocument();
});

it('runs a log query again when its limit or direction changes', async () => {
  const { onChange, onRunQuery } = setup({ refId: 'A', expr: '{a="b"}' });
  await openOptions();
  await userEvent.type(screen.getByLabelText('Line limit'), '25{Enter}');
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ maxLines: 25 }));
  await userEvent.click(screen.getByLabelText('Forward'));
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ direction: 'forward' }));
  expect(onRunQuery).toHaveBeenCalledTimes(2);
});

it('offers step, legend and instant for a metric query only', async () => {
  const { onChange } = setup({ refId: 'A', expr: 'rate({a="b"}[5m])' });
  await openOptions();
  expect(screen.queryByLabelText('Line limit')).not.toBeInTheDocument();
  await userEvent.type(screen.getByLabelText('Step'), '30s{Enter}');
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ step: '30s' }));
  await userEvent.click(screen.getByLabelText('Instant'));
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ queryType: 'instant' }));
  await userEvent.click(screen.getByLabelText('Sample line'));
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ sampleLine: true }));
});

it('asks the engine to explain, and shows its plan with what was read', async () => {
  const custom = {
    plan: {
      kind: 'log',
      reads: [
        { expression: '{a="b"} |= "x"', matchers: '{a="b"}', literals: ['x'], allLabels: true, strategy: 'by chunk' },
      ],
    },
  };
  const stats = [
    { displayName: 'Store: bytes read', unit: 'decbytes', value: 2000 },
    { displayName: 'Head: lines', unit: 'short', value: 0 },
  ];
  const frame: DataFrame = { refId: 'A', length: 0, fields: [], meta: { custom, stats } };
  const { onChange, onRunQuery } = setup({ refId: 'A', expr: '{a="b"} |= "x"' }, [frame]);
  expect(screen.queryByTestId('cambium-plan')).not.toBeInTheDocument();
  await userEvent.click(screen.getByLabelText('Explain'));
  expect(onChange).toHaveBeenLastCalledWith(expect.objectContaining({ explain: true }));
  expect(onRunQuery).toHaveBeenCalledTimes(1);
  const plan = screen.getByTestId('cambium-plan');
  expect(plan).toHaveTextContent('A line must containx');
  expect(plan).toHaveTextContent('Store: bytes read2 kB');
  expect(plan).not.toHaveTextContent('Head: lines');
  await userEvent.click(screen.getByLabelText('Explain'));
  expect(onChange).toHaveBeenLastCalledWith({ refId: 'A', expr: '{a="b"} |= "x"' });
});
