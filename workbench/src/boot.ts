// Must be imported before any Grafana library: some read these globals while they load.
declare global {
  interface Window {
    grafanaBootData?: unknown;
    __grafana_public_path__?: string;
  }
}

const params = new URLSearchParams(location.search);
export const theme = params.get('theme') === 'light' ? 'light' : 'dark';
export const language = params.get('lang') ?? 'en-US';

/** Changes the theme of the page as it is; `detail` names the new one. */
export const THEME_EVENT = 'workbench-theme';

window.__grafana_public_path__ = '/public/';
window.MonacoEnvironment = { getWorkerUrl: () => '/editor.worker.js' };
window.grafanaBootData = {
  settings: {
    appUrl: `${location.origin}/`,
    appSubUrl: '',
    buildInfo: { version: '13.1.1', env: 'production' },
    bootData: {},
    featureToggles: {},
    datasources: {},
  },
  user: { isSignedIn: true, login: 'admin', orgId: 1, orgRole: 'Admin', timezone: 'browser', theme, language },
  navTree: [],
};
