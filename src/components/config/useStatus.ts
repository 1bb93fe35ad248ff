import { useCallback, useEffect, useState } from 'react';
import { getBackendSrv } from '@grafana/runtime';

import { t } from '../../i18n';
import { StorageStatus } from '../../types';

export interface StatusState {
  status?: StorageStatus;
  error?: string;
  reload: () => void;
}

/** What the backend tells about its storage; asked once, and again on demand. */
export function useStatus(uid: string): StatusState {
  const [state, setState] = useState<Omit<StatusState, 'reload'>>({});
  const [turn, setTurn] = useState(0);

  useEffect(() => {
    let gone = false;
    getBackendSrv()
      .get(`/api/datasources/uid/${uid}/resources/cambium/v1/status`, undefined, undefined, { showErrorAlert: false })
      .then(
        (status: StorageStatus) => !gone && setState({ status }),
        (reason: unknown) => !gone && setState({ error: errorText(reason) })
      );
    return () => {
      gone = true;
    };
  }, [uid, turn]);

  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, reload };
}

/** The readable part of what a failed request rejects with. */
export function errorText(reason: unknown): string {
  if (reason && typeof reason === 'object') {
    const { data, message, statusText } = reason as { data?: unknown; message?: string; statusText?: string };
    if (typeof data === 'string' && data) {
      return data;
    }
    if (data && typeof data === 'object') {
      const { message: inner, error } = data as { message?: string; error?: string };
      if (inner || error) {
        return String(inner || error);
      }
    }
    return message || statusText || t('config.failed', 'Request failed');
  }
  return String(reason);
}
