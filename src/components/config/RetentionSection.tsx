import React from 'react';
import { ConfigSection } from '@grafana/plugin-ui';

import { retentionProblem } from '../../config/validate';
import { t } from '../../i18n';
import { DEFAULT_MAX_LINES, parseMaxLines } from '../../query';
import { TextSetting } from './TextSetting';
import { ConfigProps, settersOf } from './settings';

export function RetentionSection(props: ConfigProps) {
  const { jsonData, readOnly } = props.options;
  const { setJson } = settersOf(props);
  return (
    <ConfigSection
      title={t('config.retention.title', 'Retention and limits')}
      description={t(
        'config.retention.about',
        'Lines older than the retention are deleted for good, their space included.'
      )}
      isCollapsible
      isInitiallyOpen={Boolean(jsonData.retention || jsonData.maxLines)}
    >
      <TextSetting
        id="cambium-retention"
        label={t('config.retention.retention', 'Retention')}
        tooltip={t(
          'config.retention.retention-tip',
          "How long lines are kept, e.g. 30d or 1y. Empty: as the store's configuration says."
        )}
        placeholder={t('config.retention.for-ever', 'for ever')}
        value={jsonData.retention}
        invalid={retentionProblem(jsonData.retention)}
        disabled={readOnly}
        onChange={(text) => setJson({ retention: text.trim() || undefined })}
      />
      <TextSetting
        id="cambium-max-lines"
        label={t('config.retention.limit', 'Line limit')}
        tooltip={t('config.retention.limit-tip', 'Lines that a log query returns when it does not say itself.')}
        type="number"
        placeholder={String(DEFAULT_MAX_LINES)}
        value={jsonData.maxLines}
        disabled={readOnly}
        onChange={(text) => setJson({ maxLines: parseMaxLines(text) })}
      />
    </ConfigSection>
  );
}
