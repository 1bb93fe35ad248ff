import type { Configuration } from 'webpack';

import scaffold, { type Env } from './.config/webpack/webpack.config.ts';

/** The scaffold's build, except that it leaves alone what else belongs into dist/: the backend and git's placeholder. */
const config = async (env: Env): Promise<Configuration> => {
  const base = await scaffold(env);
  return {
    ...base,
    output: { ...base.output, clean: { keep: /gpx_|go_plugin_build_manifest|\.gitkeep/ } },
  };
};

export default config;
