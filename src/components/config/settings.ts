import { DataSourcePluginOptionsEditorProps } from '@grafana/data';

import { CambiumOptions, CambiumSecureOptions } from '../../types';

export type ConfigProps = DataSourcePluginOptionsEditorProps<CambiumOptions, CambiumSecureOptions>;

/** Changes of a data source's settings, as small steps over the one callback that Grafana gives. */
export function settersOf({ options, onOptionsChange }: ConfigProps) {
  return {
    setJson: (part: Partial<CambiumOptions>) =>
      onOptionsChange({ ...options, jsonData: { ...options.jsonData, ...part } }),
    setSecret: (name: keyof CambiumSecureOptions, value: string) =>
      onOptionsChange({ ...options, secureJsonData: { ...options.secureJsonData, [name]: value } }),
    resetSecret: (name: keyof CambiumSecureOptions) =>
      onOptionsChange({
        ...options,
        secureJsonFields: { ...options.secureJsonFields, [name]: false },
        secureJsonData: { ...options.secureJsonData, [name]: '' },
      }),
  };
}
