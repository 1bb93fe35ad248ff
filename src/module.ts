import { DataSourcePlugin } from '@grafana/data';

import { ConfigEditor } from './components/config/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { CambiumDataSource } from './datasource';
import { CambiumOptions, CambiumQuery, CambiumSecureOptions } from './types';

export const plugin = new DataSourcePlugin<CambiumDataSource, CambiumQuery, CambiumOptions, CambiumSecureOptions>(
  CambiumDataSource
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor);
