import { DataSourceApi, DataSourceInstanceSettings, EventBusSrv, ScopedVars } from '@grafana/data';
import {
  DataSourceSrv,
  TemplateSrv,
  setAppEvents,
  setBackendSrv,
  setDataSourceSrv,
  setEchoSrv,
  setGrafanaLiveSrv,
  setLocationSrv,
  setTemplateSrv,
} from '@grafana/runtime';

import { variables } from './address';
import { createBackendSrv } from './backend';
import { createLiveSrv } from './live';

export interface Registry {
  datasource?: DataSourceApi;
  settings?: DataSourceInstanceSettings;
}

/** Puts the services in place that a plugin reaches through @grafana/runtime. */
export function installServices(registry: Registry): void {
  setBackendSrv(createBackendSrv());
  setGrafanaLiveSrv(createLiveSrv());
  setTemplateSrv(templates as unknown as TemplateSrv);
  setAppEvents(new EventBusSrv());
  setLocationSrv({ update: () => undefined });
  setEchoSrv({ flush: () => undefined, addBackend: () => undefined, addEvent: () => undefined });
  setDataSourceSrv({
    get: async () => registry.datasource!,
    getList: () => (registry.settings ? [registry.settings] : []),
    getInstanceSettings: () => registry.settings,
    reload: async () => undefined,
    registerRuntimeDataSource: () => undefined,
  } as DataSourceSrv);
}

/** The variables of the address, and those that come with a request. */
const templates = {
  getVariables: () => [...variables.keys()].map((name) => ({ name })),
  containsTemplate: (text?: string) => /\$/.test(text ?? ''),
  updateTimeRange: () => undefined,
  replace: (text = '', scoped: ScopedVars = {}, format?: (value: unknown) => string) =>
    text.replace(/\$\{?(\w+)\}?/g, (whole, name) => {
      const value = name in scoped ? scoped[name]?.value : variables.get(name);
      return value === undefined ? whole : typeof format === 'function' ? format(value) : String(value);
    }),
};
