import React, { useState } from 'react';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { LabelClient } from '../labels/client';
import { Builder } from './Builder';

const labels = {
  labelNames: async () => ['app', 'env'],
  labelValues: async () => ['web'],
  detectedFields: async () => [],
} as unknown as LabelClient;

function setup(initial: string) {
  const seen: string[] = [];
  function Parent() {
    const [expr, setExpr] = useState(initial);
    return (
      <Builder
        expr={expr}
        labels={labels}
        onChange={(next) => {
          seen.push(next);
          setExpr(next);
        }}
      />
    );
  }
  render(<Parent />);
  return seen;
}

it('shows a query as a form and writes each change', async () => {
  const seen = setup('{app="web"} |= "x"');
  const stage = screen.getByLabelText('Stage 1');
  expect(stage).toHaveValue('|= "x"');
  await userEvent.clear(stage);
  await userEvent.type(stage, '| json{Enter}');
  expect(seen[seen.length - 1]).toBe('{app="web"} | json');
  await userEvent.click(screen.getByRole('button', { name: 'Remove app' }));
  expect(seen[seen.length - 1]).toBe('{} | json');
});

it('changes the range of a function', async () => {
  const seen = setup('sum by (app) (rate({app="web"} [5m]))');
  const range = screen.getByLabelText('Range');
  await userEvent.clear(range);
  await userEvent.type(range, '1m{Enter}');
  expect(seen[seen.length - 1]).toBe('sum by (app) (rate({app="web"} [1m]))');
});

it('says when it cannot show a query', () => {
  setup('rate({a="b"}[5m]) > 5');
  expect(screen.getByText(/cannot show this query/)).toBeInTheDocument();
});
