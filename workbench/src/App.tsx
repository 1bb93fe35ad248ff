import React, { useEffect, useMemo, useState } from 'react';
import { ThemeContext, createTheme } from '@grafana/data';
import { GlobalStyles, IconButton, PortalContainer, Tab, TabsBar } from '@grafana/ui';
import { css } from '@emotion/css';

import { THEME_EVENT, theme as initialTheme } from './boot';
import { ConfigPage } from './ConfigPage';
import { Explore } from './Explore';
import { Mounted, StoredDataSource, instantiate } from './plugin';
import { Registry } from './services';

type Page = 'explore' | 'config';

export function App({ mounted, registry }: { mounted: Mounted; registry: Registry }) {
  const [mode, setMode] = useState<string>(initialTheme);
  const [page, setPage] = useState<Page>(location.hash === '#config' ? 'config' : 'explore');
  const [state, setState] = useState({ stored: mounted.stored, datasource: mounted.datasource });
  const theme = useMemo(() => createTheme({ colors: { mode: mode === 'light' ? 'light' : 'dark' } }), [mode]);

  useEffect(() => {
    const change = (event: Event) => setMode((event as CustomEvent<string>).detail);
    window.addEventListener(THEME_EVENT, change);
    return () => window.removeEventListener(THEME_EVENT, change);
  }, []);

  const open = (next: Page) => {
    location.hash = next;
    setPage(next);
  };
  // Grafana makes a new instance when the settings of a data source change.
  const saved = (stored: StoredDataSource) =>
    setState({ stored, datasource: instantiate(mounted.plugin, mounted.meta, stored, registry) });

  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <div
        className={styles.page}
        style={{ background: theme.colors.background.canvas, color: theme.colors.text.primary }}
      >
        <header className={styles.header}>
          <img src="/logo.svg" alt="" width={28} height={28} />
          <strong>Cambium workbench</strong>
          <TabsBar className={styles.tabs} hideBorder>
            <Tab label="Explore" active={page === 'explore'} onChangeTab={() => open('explore')} />
            <Tab label="Data source" active={page === 'config'} onChangeTab={() => open('config')} />
          </TabsBar>
          <IconButton
            name="palette"
            tooltip="Change theme"
            onClick={() => setMode(mode === 'light' ? 'dark' : 'light')}
          />
        </header>
        <main>
          <div hidden={page !== 'explore'}>
            <Explore plugin={mounted.plugin} datasource={state.datasource} />
          </div>
          {page === 'config' && (
            <ConfigPage plugin={mounted.plugin} stored={state.stored} datasource={state.datasource} onSaved={saved} />
          )}
        </main>
      </div>
      <PortalContainer />
    </ThemeContext.Provider>
  );
}

const styles = {
  page: css({ minHeight: '100vh', padding: '8px 16px 32px' }),
  header: css({ display: 'flex', alignItems: 'center', gap: 12, marginBottom: 8 }),
  tabs: css({ flex: 1 }),
};
