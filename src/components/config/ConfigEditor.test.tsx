import React, { useState } from 'react';
import { DataSourceSettings } from '@grafana/data';
import { render, screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { NEVER, of, throwError } from 'rxjs';

import { CambiumOptions, CambiumSecureOptions } from '../../types';
import { ConfigEditor } from './ConfigEditor';

const get = jest.fn();
const fetch = jest.fn();

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getBackendSrv: () => ({ get, fetch }),
  config: { appUrl: 'https://grafana.example.com/', appSubUrl: '' },
}));

const options = {
  uid: 'abc',
  jsonData: {},
  secureJsonFields: {},
} as DataSourceSettings<CambiumOptions, CambiumSecureOptions>;

beforeEach(() => {
  get.mockReset().mockReturnValue(new Promise(() => undefined));
  fetch.mockReset().mockImplementation(({ url }: { url: string }) => of({ data: answers(url) }));
});

function answers(url: string): unknown {
  if (url.includes('query_range')) {
    return {
      data: {
        result: [
          {
            values: [
              ['2', 'newer'],
              ['1', 'older'],
            ],
          },
        ],
      },
    };
  }
  return url.includes('/query?') ? { data: { result: [{ value: [0, '7'] }] } } : [];
}

/** Renders the page with settings that change as Grafana changes them; gives the last ones. */
function renderPage(jsonData: CambiumOptions = {}) {
  const last = { options: { ...options, jsonData } as typeof options };
  function Parent() {
    const [current, setCurrent] = useState(last.options);
    last.options = current;
    return <ConfigEditor options={current} onOptionsChange={setCurrent} />;
  }
  render(<Parent />);
  return last;
}

const open = (title: string) =>
  userEvent.click(screen.getByRole('button', { name: new RegExp(`expand section ${title}`, 'i') }));

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
  render(<ConfigEditor options={options} onOptionsChange={jest.fn()} />);
  const url = 'https://grafana.example.com/api/datasources/uid/abc/resources/loki/api/v1/push';
  expect(screen.getByDisplayValue(url)).toBeInTheDocument();
  expect(screen.getByTestId('cambium-agent-config')).toHaveTextContent('loki.write "cambium"');
  await userEvent.click(screen.getByRole('tab', { name: 'Promtail' }));
  expect(screen.getByTestId('cambium-agent-config')).toHaveTextContent(`url: ${url}`);
});

it('sends a test line through the push route', async () => {
  renderPage();
  await userEvent.click(screen.getByRole('button', { name: 'Send a test line' }));
  expect(await screen.findByText(/Received/)).toBeInTheDocument();
  const push = fetch.mock.calls.map(([call]) => call).find(({ url }) => url.endsWith('/loki/api/v1/push'));
  expect(push.data.streams[0].values[0][0]).toMatch(/^\d{19}$/);
});

it('says why a test line was refused', async () => {
  fetch.mockImplementation(() => throwError(() => ({ data: { message: 'role Editor is needed' } })));
  renderPage();
  await userEvent.click(screen.getByRole('button', { name: 'Send a test line' }));
  expect(await screen.findByText('role Editor is needed')).toBeInTheDocument();
});

it('keeps retention and limit, and forgets them when they are emptied', async () => {
  const last = renderPage({ retention: '30d' });
  await userEvent.type(screen.getByLabelText('Line limit'), '50');
  await userEvent.clear(screen.getByLabelText('Retention'));
  expect(last.options.jsonData).toEqual({ retention: undefined, maxLines: 50 });
  await userEvent.type(screen.getByLabelText('Retention'), 'x');
  expect(screen.getByText(/such as 30d/)).toBeInTheDocument();
});

it('has a form for S3 and keeps its keys secret', async () => {
  const last = renderPage({ storage: { kind: 's3' } });
  await userEvent.type(screen.getByLabelText('Bucket'), 'logs');
  await userEvent.type(screen.getByLabelText('Secret key'), 'k');
  expect(last.options.jsonData.storage).toEqual({ kind: 's3', bucket: 'logs' });
  expect(last.options.secureJsonData).toEqual({ s3SecretKey: 'k' });
});

it('confines a role by a selector', async () => {
  const last = renderPage({ pushRole: 'Admin' });
  await userEvent.click(screen.getByRole('radio', { name: 'Editor' }));
  await userEvent.click(screen.getByLabelText('Viewer', { selector: 'input[type=text],input:not([type])' }));
  await userEvent.paste('{team="a"}');
  expect(last.options.jsonData).toMatchObject({
    pushRole: 'Editor',
    roleSelectors: [{ role: 'Viewer', selector: '{team="a"}' }],
  });
});

it('tries a derived field on a line', async () => {
  renderPage({ derivedFields: [{ name: 'Trace', matcherRegex: 'id=(\\w+)' }] });
  await userEvent.type(screen.getByLabelText('Line to try derived fields on'), 'a id=42 b');
  expect(screen.getByText('Found: 42')).toBeInTheDocument();
});

it('shows what would be deleted, asks, and only then deletes', async () => {
  renderPage();
  await open('Delete logs');
  const query = screen.getByLabelText('Query');
  await userEvent.click(query);
  await userEvent.paste('{a="b"} |= "x"');
  await userEvent.click(screen.getByRole('button', { name: 'Show what matches' }));
  const preview = await screen.findByTestId('cambium-delete-preview');
  expect(preview).toHaveTextContent('Matching lines: 7');
  expect(preview).toHaveTextContent('newer');

  await userEvent.click(screen.getByRole('button', { name: 'Delete' }));
  const dialog = await screen.findByRole('dialog');
  const deletes = () => fetch.mock.calls.filter(([{ method, url }]) => method === 'POST' && url.includes('/delete'));
  expect(within(dialog).getByRole('button', { name: /Delete/ })).toBeDisabled();
  await userEvent.type(within(dialog).getByRole('textbox'), 'Delete');
  expect(deletes()).toHaveLength(0);
  await userEvent.click(within(dialog).getByRole('button', { name: /Delete/ }));
  expect(deletes()[0][0].url).toContain('query=%7Ba%3D%22b%22%7D+%7C%3D+%22x%22');
});

it('changes nothing of a provisioned data source that is not editable', () => {
  const jsonData = {
    storage: { kind: 's3' as const },
    retention: '30d',
    derivedFields: [{ name: 'T', matcherRegex: 'x' }],
  };
  fetch.mockReturnValue(NEVER);
  render(<ConfigEditor options={{ ...options, jsonData, readOnly: true }} onOptionsChange={jest.fn()} />);
  for (const label of [
    'Retention',
    'Line limit',
    'Endpoint',
    'Bucket',
    'Region',
    'Prefix',
    'Secret key',
    'Name',
    'Regex',
  ]) {
    expect(screen.getByLabelText(label)).toBeDisabled();
  }
  expect(screen.getByRole('button', { name: 'Add derived field' })).toBeDisabled();
  expect(screen.getByRole('radio', { name: 'Embedded' })).toBeDisabled();
});
