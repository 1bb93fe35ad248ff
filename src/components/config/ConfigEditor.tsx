import React from 'react';
import { DataSourcePluginOptionsEditorProps } from '@grafana/data';
import { Divider, TextLink } from '@grafana/ui';

import { CambiumOptions, CambiumSecureOptions } from '../../types';
import { AgentsSection } from './AgentsSection';
import { ConnectionSection } from './ConnectionSection';

export type Props = DataSourcePluginOptionsEditorProps<CambiumOptions, CambiumSecureOptions>;

export function ConfigEditor({ options }: Props) {
  return (
    <>
      <p>
        Cambium keeps logs inside Grafana. Nothing has to be set here before it works.{' '}
        <TextLink href="https://github.com/cambium-logs/cambium#readme" external>
          Documentation
        </TextLink>
      </p>
      <Divider />
      <ConnectionSection uid={options.uid} />
      <Divider />
      <AgentsSection uid={options.uid} />
    </>
  );
}
