import React from 'react';
import { ConfigSection } from '@grafana/plugin-ui';
import { InlineField, InlineSwitch, RadioButtonGroup, SecretInput, SecretTextArea } from '@grafana/ui';

import { StorageKind, StorageOptions } from '../../types';
import { TextSetting } from './TextSetting';
import { ConfigProps, settersOf } from './settings';

const KINDS: Array<{ value: StorageKind; label: string; description: string }> = [
  {
    value: 'embedded',
    label: 'Embedded',
    description: "In Grafana's data directory, or where the server's configuration says",
  },
  { value: 's3', label: 'S3', description: 'A bucket of S3 or of a store that speaks its protocol' },
  { value: 'bucket', label: 'Other bucket', description: 'GCS, Azure, Swift and others, as YAML' },
];

const BUCKET_EXAMPLE = `type: GCS
config:
  bucket: logs
  service_account: |-
    {"type": "service_account", …}
`;

export function StorageSection(props: ConfigProps) {
  const { jsonData, secureJsonFields = {}, secureJsonData = {}, readOnly } = props.options;
  const { setJson, setSecret, resetSecret } = settersOf(props);
  const storage = jsonData.storage ?? {};
  const kind = storage.kind ?? 'embedded';
  const change = (part: Partial<StorageOptions>) => setJson({ storage: { ...storage, kind, ...part } });
  const secret = (name: 's3AccessKey' | 's3SecretKey') => ({
    id: `cambium-${name}`,
    width: 50,
    isConfigured: Boolean(secureJsonFields[name]),
    value: secureJsonData[name] ?? '',
    onReset: () => resetSecret(name),
    onChange: (event: React.ChangeEvent<HTMLInputElement>) => setSecret(name, event.currentTarget.value),
  });

  return (
    <ConfigSection
      title="Storage"
      description="Where the logs are kept. Save & test tries to write, read and list there."
      isCollapsible
      isInitiallyOpen={kind !== 'embedded'}
    >
      <InlineField label="Kind" labelWidth={24} disabled={readOnly}>
        <RadioButtonGroup
          aria-label="Kind of storage"
          options={KINDS}
          value={kind}
          onChange={(value) => change({ kind: value })}
        />
      </InlineField>
      {kind === 's3' && (
        <>
          <TextSetting
            id="cambium-s3-endpoint"
            label="Endpoint"
            tooltip="Host and port without a scheme"
            placeholder="s3.eu-central-1.amazonaws.com"
            value={storage.endpoint}
            disabled={readOnly}
            onChange={(endpoint) => change({ endpoint: endpoint.trim() })}
          />
          <TextSetting
            id="cambium-s3-bucket"
            label="Bucket"
            value={storage.bucket}
            disabled={readOnly}
            onChange={(bucket) => change({ bucket: bucket.trim() })}
          />
          <TextSetting
            id="cambium-s3-region"
            label="Region"
            placeholder="optional"
            value={storage.region}
            disabled={readOnly}
            onChange={(region) => change({ region: region.trim() || undefined })}
          />
          <TextSetting
            id="cambium-s3-prefix"
            label="Prefix"
            tooltip="All objects are put below this name"
            placeholder="optional"
            value={storage.prefix}
            disabled={readOnly}
            onChange={(prefix) => change({ prefix: prefix.trim() || undefined })}
          />
          <InlineField label="Without TLS" labelWidth={24} disabled={readOnly}>
            <InlineSwitch
              id="cambium-s3-insecure"
              value={Boolean(storage.insecure)}
              onChange={(event) => change({ insecure: event.currentTarget.checked || undefined })}
            />
          </InlineField>
          <InlineField label="Access key" labelWidth={24} disabled={readOnly}>
            <SecretInput {...secret('s3AccessKey')} />
          </InlineField>
          <InlineField label="Secret key" labelWidth={24} disabled={readOnly}>
            <SecretInput {...secret('s3SecretKey')} />
          </InlineField>
        </>
      )}
      {kind === 'bucket' && (
        <InlineField
          label="Configuration"
          labelWidth={24}
          disabled={readOnly}
          tooltip="YAML of an object store as Thanos and Mimir write it. It holds secrets, so it is not shown again."
        >
          <SecretTextArea
            id="cambium-bucket-config"
            aria-label="Bucket configuration"
            cols={60}
            rows={8}
            placeholder={BUCKET_EXAMPLE}
            isConfigured={Boolean(secureJsonFields.bucketConfig)}
            value={secureJsonData.bucketConfig ?? ''}
            onReset={() => resetSecret('bucketConfig')}
            onChange={(event) => setSecret('bucketConfig', event.currentTarget.value)}
          />
        </InlineField>
      )}
    </ConfigSection>
  );
}
