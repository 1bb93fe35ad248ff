import { config } from '@grafana/runtime';

import { CambiumOptions } from '../types';

/**
 * Users whose role is confined by a selector follow their lines on a channel of their own: Grafana shares one between
 * all who subscribe to it, and they must not share with users who see more.
 */
export function tailScope({ roleSelectors = [] }: CambiumOptions): string | undefined {
  const role = config.bootData?.user?.orgRole;
  return roleSelectors.find((one) => one.role === role && one.selector.trim())?.role;
}
