import React from 'react';
import { render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { LabelClient } from '../labels/client';
import { LabelBrowser } from './LabelBrowser';
import { replaceSelector, selectionSelector } from './selection';

it('writes one value as equality, several as alternatives', () => {
  expect(selectionSelector({ a: ['x'], b: ['y.z', 'w'], c: [] })).toBe('{a="x", b=~"y\\\\.z|w"}');
  expect(selectionSelector({ a: ['x'], b: ['y'] }, 'a')).toBe('{b="y"}');
});

it('puts the selector in place of the first', () => {
  expect(replaceSelector('rate({a="b"}[5m])', '{c="d"}', { from: 5, to: 12 })).toBe('rate({c="d"}[5m])');
  expect(replaceSelector('', '{c="d"}')).toBe('{c="d"}');
});

it('narrows step by step and hands over the selector', async () => {
  const labelValues = jest.fn(async (name: string) => (name === 'app' ? ['web', 'api'] : ['prod', 'dev']));
  const labels = { labelNames: async () => ['app', 'env'], labelValues } as unknown as LabelClient;
  const onApply = jest.fn();
  render(<LabelBrowser labels={labels} onApply={onApply} onClose={jest.fn()} />);

  await userEvent.click(await screen.findByText('app'));
  await userEvent.click(await screen.findByLabelText('web'));
  await userEvent.click(screen.getByText('env'));
  expect(await screen.findByLabelText('prod')).toBeInTheDocument();
  expect(labelValues).toHaveBeenLastCalledWith('env', undefined, '{app="web"}');
  await userEvent.click(screen.getByLabelText('prod'));
  await userEvent.click(screen.getByRole('button', { name: 'Use selector' }));
  expect(onApply).toHaveBeenCalledWith('{app="web", env="prod"}');
});
