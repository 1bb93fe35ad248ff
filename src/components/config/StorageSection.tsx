import React from 'react';
import { ConfigSection } from '@grafana/plugin-ui';
import { InlineField, InlineSwitch, RadioButtonGroup, SecretInput, SecretTextArea } from '@grafana/ui';

import { t } from '../../i18n';
import { StorageKind, StorageOptions } from '../../types';
import { TextSetting } from './TextSetting';
import { ConfigProps, settersOf } from './settings';

const kinds = (): Array<{ value: StorageKind; label: string; description: string }> => [
  {
    value: 'embedded',
    label: t('config.storage.embedded', 'Embedded'),
    description: t(
      'config.storage.embedded-tip',
      "In Grafana's data directory, or where the server's configuration says"
    ),
  },
  {
    value: 's3',
    label: 'S3',
    description: t('config.storage.s3-tip', 'A bucket of S3 or of a store that speaks its protocol'),
  },
  {
    value: 'bucket',
    label: t('config.storage.bucket-kind', 'Other bucket'),
    description: t('config.storage.bucket-kind-tip', 'GCS, Azure, Swift and others, as YAML'),
  },
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
      title={t('config.storage.title', 'Storage')}
      description={t(
        'config.storage.about',
        'Where the logs are kept. Save & test tries to write, read and list there.'
      )}
      isCollapsible
      isInitiallyOpen={kind !== 'embedded'}
    >
      <InlineField label={t('config.storage.kind', 'Kind')} labelWidth={24} disabled={readOnly}>
        <RadioButtonGroup
          aria-label={t('config.storage.kind-of', 'Kind of storage')}
          options={kinds()}
          value={kind}
          onChange={(value) => change({ kind: value })}
        />
      </InlineField>
      {kind === 's3' && (
        <>
          <TextSetting
            id="cambium-s3-endpoint"
            label={t('config.storage.endpoint', 'Endpoint')}
            tooltip={t('config.storage.endpoint-tip', 'Host and port without a scheme')}
            placeholder="s3.eu-central-1.amazonaws.com"
            value={storage.endpoint}
            disabled={readOnly}
            onChange={(endpoint) => change({ endpoint: endpoint.trim() })}
          />
          <TextSetting
            id="cambium-s3-bucket"
            label={t('config.storage.bucket', 'Bucket')}
            value={storage.bucket}
            disabled={readOnly}
            onChange={(bucket) => change({ bucket: bucket.trim() })}
          />
          <TextSetting
            id="cambium-s3-region"
            label={t('config.storage.region', 'Region')}
            placeholder={t('config.optional', 'optional')}
            value={storage.region}
            disabled={readOnly}
            onChange={(region) => change({ region: region.trim() || undefined })}
          />
          <TextSetting
            id="cambium-s3-prefix"
            label={t('config.storage.prefix', 'Prefix')}
            tooltip={t('config.storage.prefix-tip', 'All objects are put below this name')}
            placeholder={t('config.optional', 'optional')}
            value={storage.prefix}
            disabled={readOnly}
            onChange={(prefix) => change({ prefix: prefix.trim() || undefined })}
          />
          <InlineField label={t('config.storage.insecure', 'Without TLS')} labelWidth={24} disabled={readOnly}>
            <InlineSwitch
              id="cambium-s3-insecure"
              value={Boolean(storage.insecure)}
              onChange={(event) => change({ insecure: event.currentTarget.checked || undefined })}
            />
          </InlineField>
          <InlineField label={t('config.storage.access-key', 'Access key')} labelWidth={24} disabled={readOnly}>
            <SecretInput {...secret('s3AccessKey')} />
          </InlineField>
          <InlineField label={t('config.storage.secret-key', 'Secret key')} labelWidth={24} disabled={readOnly}>
            <SecretInput {...secret('s3SecretKey')} />
          </InlineField>
        </>
      )}
      {kind === 'bucket' && (
        <InlineField
          label={t('config.storage.yaml', 'Configuration')}
          labelWidth={24}
          disabled={readOnly}
          tooltip={t(
            'config.storage.yaml-tip',
            'YAML of an object store as Thanos and Mimir write it. It holds secrets, so it is not shown again.'
          )}
        >
          <SecretTextArea
            id="cambium-bucket-config"
            aria-label={t('config.storage.yaml-label', 'Bucket configuration')}
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
