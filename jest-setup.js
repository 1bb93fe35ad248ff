// Jest setup provided by Grafana scaffolding
import './.config/jest-setup';

// Comboboxes measure their options; jsdom has no canvas.
HTMLCanvasElement.prototype.getContext = () => ({ measureText: (text) => ({ width: text.length * 8 }) });
