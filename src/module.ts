import { DataSourcePlugin } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';

import { ConfigEditor } from './components/config/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { CambiumDataSource } from './datasource';
import pluginJson from './plugin.json';
import { CambiumOptions, CambiumQuery, CambiumSecureOptions } from './types';

// Grafana has loaded the texts already, so this is done before anything is drawn: nothing has to wait for it.
void initPluginTranslations(pluginJson.id);

export const plugin = new DataSourcePlugin<CambiumDataSource, CambiumQuery, CambiumOptions, CambiumSecureOptions>(
  CambiumDataSource
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
