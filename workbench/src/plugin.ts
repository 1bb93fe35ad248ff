import { DataSourceApi, DataSourceInstanceSettings, DataSourcePlugin, DataSourcePluginMeta } from '@grafana/data';
import { getBackendSrv } from '@grafana/runtime';
import i18next from 'i18next';

import { loadAmd } from './amd';
import { language } from './boot';
import { externals } from './externals';
import { Registry } from './services';

export const PLUGIN_ID = 'cambium-logs-datasource';
const BASE = `/public/plugins/${PLUGIN_ID}`;

/** A data source as `GET /api/datasources` tells it. */
export interface StoredDataSource {
  id: number;
  uid: string;
  name: string;
  type: string;
  jsonData: Record<string, unknown>;
  secureJsonFields: Record<string, boolean>;
  readOnly?: boolean;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnyPlugin = DataSourcePlugin<any, any, any, any>;

export interface Mounted {
  plugin: AnyPlugin;
  meta: DataSourcePluginMeta;
  stored: StoredDataSource;
  datasource: DataSourceApi;
}

/** Loads the built plugin and makes the instance for the host's data source. */
export async function mountPlugin(registry: Registry): Promise<Mounted> {
  await loadTexts();
  const [module, meta, list] = await Promise.all([
    loadAmd<{ plugin: AnyPlugin }>(`${BASE}/module.js`, externals),
    getBackendSrv().get<DataSourcePluginMeta>(`${BASE}/plugin.json`),
    getBackendSrv().get<StoredDataSource[]>('/api/datasources'),
  ]);
  const stored = list.find(({ type }) => type === PLUGIN_ID) ?? list[0];
  if (!stored) {
    throw new Error('The host has no data source');
  }
  return { plugin: module.plugin, meta, stored, datasource: instantiate(module.plugin, meta, stored, registry) };
}

/** As Grafana does: the texts of a plugin are there before its code runs. */
async function loadTexts(): Promise<void> {
  await i18next.init({ lng: language, fallbackLng: 'en-US', resources: {}, returnEmptyString: false });
  const texts = await getBackendSrv().get<object>(`${BASE}/locales/${language}/${PLUGIN_ID}.json`);
  i18next.addResourceBundle(language, PLUGIN_ID, texts);
}

export function instantiate(
  plugin: AnyPlugin,
  meta: DataSourcePluginMeta,
  stored: StoredDataSource,
  registry: Registry
): DataSourceApi {
  const settings = {
    ...stored,
    access: 'proxy',
    readOnly: Boolean(stored.readOnly),
    jsonData: stored.jsonData ?? {},
    meta: { ...meta, baseUrl: BASE, module: `${BASE}/module.js` },
  } as unknown as DataSourceInstanceSettings;
  const datasource = new plugin.DataSourceClass(settings) as DataSourceApi;
  Object.assign(datasource, { meta: settings.meta, components: plugin.components });
  registry.settings = settings;
  registry.datasource = datasource;
  return datasource;
}
