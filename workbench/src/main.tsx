import './boot';

import React from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './App';
import { mountPlugin } from './plugin';
import { Registry, installServices } from './services';

const registry: Registry = {};
installServices(registry);

const root = createRoot(document.getElementById('root')!);
mountPlugin(registry).then(
  (mounted) => root.render(<App mounted={mounted} registry={registry} />),
  (error) => root.render(<pre role="alert">{`The workbench could not start: ${error?.message ?? error}`}</pre>)
);
