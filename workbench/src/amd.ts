type Factory = (...modules: unknown[]) => unknown;
type Define = ((name: unknown, deps?: unknown, factory?: unknown) => void) & { amd?: object };

declare global {
  interface Window {
    define?: Define;
  }
}

/** Loads a plugin's module.js as Grafana does: an anonymous AMD module whose externals are the host's libraries. */
export function loadAmd<T>(url: string, externals: Record<string, unknown>): Promise<T> {
  return new Promise((resolve, reject) => {
    const previous = window.define;
    const done = () => {
      window.define = previous;
      script.remove();
    };
    const define: Define = (...args: unknown[]) => {
      const factory = args.pop() as Factory;
      const deps = (args.pop() ?? []) as string[];
      const missing = deps.filter((name) => name !== 'module' && !(name in externals));
      if (missing.length) {
        reject(new Error(`${url} wants modules that this page does not have: ${missing.join(', ')}`));
        return;
      }
      resolve(factory(...deps.map((name) => (name === 'module' ? { uri: url } : externals[name]))) as T);
    };
    define.amd = {};

    const script = document.createElement('script');
    script.src = url;
    script.onload = done;
    script.onerror = () => {
      done();
      reject(new Error(`${url} could not be loaded: is the plugin built?`));
    };
    window.define = define;
    document.head.append(script);
  });
}
