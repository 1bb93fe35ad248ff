import React, { Fragment } from 'react';
import { Divider, TextLink } from '@grafana/ui';

import { t } from '../../i18n';
import { AccessSection } from './AccessSection';
import { AgentsSection } from './AgentsSection';
import { ConnectionSection } from './ConnectionSection';
import { DeleteSection } from './DeleteSection';
import { DerivedFieldsSection } from './DerivedFieldsSection';
import { RetentionSection } from './RetentionSection';
import { StorageSection } from './StorageSection';
import { ConfigProps } from './settings';
import { useStatus } from './useStatus';

export function ConfigEditor(props: ConfigProps) {
  const { uid } = props.options;
  const status = useStatus(uid);
  return (
    <>
      <p>
        {t('config.intro', 'Cambium keeps logs inside Grafana. Nothing has to be set here before it works.')}{' '}
        <TextLink href="https://github.com/cambium-logs/cambium#readme" external>
          {t('config.documentation', 'Documentation')}
        </TextLink>
      </p>
      {[
        <ConnectionSection key="connection" {...status} />,
        <AgentsSection key="agents" uid={uid} lastReceived={status.status?.lastReceived} onSent={status.reload} />,
        <RetentionSection key="retention" {...props} />,
        <StorageSection key="storage" {...props} />,
        <AccessSection key="access" {...props} />,
        <DerivedFieldsSection key="derived" {...props} />,
        <DeleteSection key="delete" uid={uid} />,
      ].map((section) => (
        <Fragment key={section.key}>
          <Divider />
          {section}
        </Fragment>
      ))}
    </>
  );
}
