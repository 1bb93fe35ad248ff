import type { Configuration } from 'webpack';

import scaffold, { type Env } from './.config/webpack/webpack.config.ts';

/** What a browser has to load before the editor shows; a build that exceeds it fails. */
const MAX_MODULE_BYTES = 300 * 1024;

/** The scaffold's build, except that it leaves alone what else belongs into dist/: the backend and git's placeholder. */
const config = async (env: Env): Promise<Configuration> => {
  const base = await scaffold(env);
  return {
    ...base,
    performance: {
      hints: env.production ? 'error' : false,
      maxAssetSize: MAX_MODULE_BYTES,
      maxEntrypointSize: MAX_MODULE_BYTES,
      assetFilter: (name: string) => name.endsWith('.js'),
    },
    output: { ...base.output, clean: { keep: /gpx_|go_plugin_build_manifest|\.gitkeep/ } },
  };
};

export default config;
