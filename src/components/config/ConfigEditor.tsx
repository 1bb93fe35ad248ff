import React from 'react';
import { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { DataSourceDescription } from '@grafana/plugin-ui';
import { Divider } from '@grafana/ui';

import { CambiumOptions, CambiumSecureOptions } from '../../types';
import { AgentsSection } from './AgentsSection';
import { ConnectionSection } from './ConnectionSection';

export type Props = DataSourcePluginOptionsEditorProps<CambiumOptions, CambiumSecureOptions>;

export function ConfigEditor({ options }: Props) {
  return (
    <>
      <DataSourceDescription
        dataSourceName="Cambium"
        docsLink="https://github.com/cambium-logs/cambium#readme"
        hasRequiredFields={false}
      />
      <Divider />
      <ConnectionSection uid={options.uid} />
      <Divider />
      <AgentsSection uid={options.uid} />
    </>
  );
}
