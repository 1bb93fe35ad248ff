import {
  DataQueryRequest,
  DataSourceInstanceSettings,
  FieldType,
  SupplementaryQueryType,
  dateTime,
  hasLogsContextSupport,
  hasLogsContextUiSupport,
  hasLogsLabelTypesSupport,
  hasQueryExportSupport,
  hasQueryImportSupport,
  hasQueryModificationSupport,
  hasSupplementaryQuerySupport,
  hasToggleableQueryFiltersSupport,
} from '@grafana/data';
import { DataSourceWithBackend, TemplateSrv } from '@grafana/runtime';
import { lastValueFrom, of } from 'rxjs';

import { CambiumDataSource } from './datasource';
import { CambiumOptions, CambiumQuery } from './types';

jest.mock('@grafana/runtime', () => ({
  ...jest.requireActual('@grafana/runtime'),
  getDataSourceSrv: () => ({ getInstanceSettings: () => ({ name: 'Tempo' }) }),
}));

const VARIABLES: Record<string, unknown> = { app: ['x', 'y'], n: '5' };
const templates = {
  replace: (text = '', _: unknown, format?: (value: unknown) => string) =>
    text.replace(/\$(\w+)/g, (whole, name) =>
      name in VARIABLES ? (format ? format(VARIABLES[name]) : String(VARIABLES[name])) : whole
    ),
} as unknown as TemplateSrv;

function create(jsonData: CambiumOptions = {}) {
  const settings = { id: 1, uid: 'uid', type: 'cambium-logs-datasource', name: 'C', jsonData, meta: { id: 'x' } };
  return new CambiumDataSource(settings as unknown as DataSourceInstanceSettings<CambiumOptions>, templates);
}

function request(...targets: CambiumQuery[]) {
  const [from, to] = [dateTime(0), dateTime(3_600_000)];
  return {
    requestId: 'r',
    targets,
    range: { from, to, raw: { from, to } },
    scopedVars: {},
  } as DataQueryRequest<CambiumQuery>;
}

it('has every interface that Grafana looks for', () => {
  const datasource = create();
  for (const supports of [
    hasLogsContextSupport,
    hasLogsContextUiSupport,
    hasLogsLabelTypesSupport,
    hasQueryModificationSupport,
    hasToggleableQueryFiltersSupport,
    hasQueryImportSupport,
    hasQueryExportSupport,
  ]) {
    expect(supports(datasource as never)).toBe(true);
  }
  expect(hasSupplementaryQuerySupport(datasource as never, SupplementaryQueryType.LogsVolume)).toBe(true);
  expect(hasSupplementaryQuerySupport(datasource as never, SupplementaryQueryType.LogsSample)).toBe(true);
});

it('replaces variables and adds ad-hoc filters', async () => {
  const datasource = create();
  jest.spyOn(datasource, 'getResource').mockResolvedValue({ data: ['env'] });
  await datasource.getTagKeys();
  const filters = [
    { key: 'env', operator: '=', value: 'prod' },
    { key: 'status', operator: '=', value: '500' },
  ];
  const query = { refId: 'A', expr: 'topk($n, rate({app=~"$app"} | json [$__auto]))', step: '$n' };
  expect(datasource.applyTemplateVariables(query, {}, filters)).toMatchObject({
    expr: 'topk(5, rate({app=~"(x|y)", env="prod"} | json | status="500" [$__auto]))',
    step: '5',
    queryType: 'range',
  });
});

it('learns the stream labels before it applies filters', async () => {
  const datasource = create();
  const getResource = jest.spyOn(datasource, 'getResource').mockResolvedValue({ data: ['env'] });
  const ask = jest.spyOn(DataSourceWithBackend.prototype, 'query').mockReturnValue(of({ data: [] }));
  await lastValueFrom(
    datasource.query({
      ...request({ refId: 'A', expr: '{a="b"}' }),
      filters: [{ key: 'env', operator: '=', value: 'x' }],
    })
  );
  expect(getResource).toHaveBeenCalledTimes(1);
  expect(ask).toHaveBeenCalledTimes(1);
  ask.mockRestore();
});

it('adds derived fields to lines', async () => {
  const datasource = create({
    derivedFields: [{ name: 'Trace', matcherRegex: 'id=(\\w+)', url: 'https://x/${__value.raw}' }],
  });
  const frame = {
    length: 1,
    fields: [{ name: 'body', type: FieldType.string, config: {}, values: ['id=7'] }],
  };
  const ask = jest.spyOn(DataSourceWithBackend.prototype, 'query').mockReturnValue(of({ data: [frame] }));
  const { data } = await lastValueFrom(datasource.query(request({ refId: 'A', expr: '{a="b"}' })));
  expect(data[0].fields[1]).toMatchObject({ name: 'Trace', values: ['7'] });
  ask.mockRestore();
});

it('narrows the values of a filter by the others', async () => {
  const datasource = create();
  const getResource = jest.spyOn(datasource, 'getResource').mockResolvedValue({ data: ['app', 'env'] });
  await datasource.getTagKeys();
  await datasource.getTagValues({
    key: 'app',
    filters: [
      { key: 'env', operator: '=', value: 'prod' },
      { key: 'app', operator: '=', value: 'old' },
    ],
  });
  expect(getResource).toHaveBeenLastCalledWith(
    'loki/api/v1/label/app/values',
    { query: '{env="prod"}' },
    expect.anything()
  );
});

it('does not ask for hidden or empty queries', () => {
  const datasource = create();
  expect(datasource.filterQuery({ refId: 'A', expr: '  ' })).toBe(false);
  expect(datasource.filterQuery({ refId: 'A', expr: '{a="b"}', hide: true })).toBe(false);
  expect(datasource.filterQuery({ refId: 'A', expr: '{a="b"}' })).toBe(true);
});

it('answers old text variables', async () => {
  const datasource = create();
  jest.spyOn(datasource, 'getResource').mockResolvedValue({ data: ['x', 'y'] });
  expect(await datasource.metricFindQuery('label_values(app)')).toEqual([{ text: 'x' }, { text: 'y' }]);
});
