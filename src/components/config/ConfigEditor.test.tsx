import React from 'react';
import { DataSourceSettings } from '@grafana/data';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

import { CambiumOptions, CambiumSecureOptions } from '../../types';
import { ConfigEditor } from './ConfigEditor';

const get = jest.fn();

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => ({ get }),
  config: { appUrl: 'https://grafana.example.com/', appSubUrl: '' },
}));

const options = {
  uid: 'abc',
  jsonData: {},
  secureJsonFields: {},
} as DataSourceSettings<CambiumOptions, CambiumSecureOptions>;

beforeEach(() => get.mockReset());

it('tells where the logs are, with no setting made', async () => {
  get.mockResolvedValue({
    location: '/var/lib/cambium',
    bytes: 1024,
    rawBytes: 4096,
    entries: 12,
    streams: 2,
    tenant: 'org-1',
  });
  render(<ConfigEditor options={options} onOptionsChange={jest.fn()} />);
  const status = await screen.findByTestId('cambium-status');
  expect(within(status).getByText('/var/lib/cambium')).toBeInTheDocument();
  expect(within(status).getByText(/4\.0× smaller/)).toBeInTheDocument();
  expect(get.mock.calls[0][0]).toBe('/api/datasources/uid/abc/resources/cambium/v1/status');
});

it('says why the storage did not answer', async () => {
  get.mockRejectedValue({ data: { message: 'data directory is in use' } });
  render(<ConfigEditor options={options} onOptionsChange={jest.fn()} />);
  expect(await screen.findByText('data directory is in use')).toBeInTheDocument();
});

it('shows the push URL and a configuration for each agent', async () => {
  get.mockReturnValue(new Promise(() => undefined));
  render(<ConfigEditor options={options} onOptionsChange={jest.fn()} />);
  const url = 'https://grafana.example.com/api/datasources/uid/abc/resources/loki/api/v1/push';
  expect(screen.getByDisplayValue(url)).toBeInTheDocument();
  expect(screen.getByTestId('cambium-agent-config')).toHaveTextContent('loki.write "cambium"');
  await userEvent.click(screen.getByRole('tab', { name: 'Promtail' }));
  expect(screen.getByTestId('cambium-agent-config')).toHaveTextContent(`url: ${url}`);
});
