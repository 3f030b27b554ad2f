import type { BenchBackend } from '../core/comparison.ts';

const BACKENDS = ['webgpu', 'webgl', 'wasm', 'cpu'] as const;

/** Whether this browser has a backend, in the place where the bench computes: a Web Worker. */
export interface Support {
  readonly backend: BenchBackend;
  /** what it would compute on; absent when the backend is not there */
  readonly device?: string;
  /** why it is not there */
  readonly reason?: string;
  readonly softwareGpu: boolean;
}

/** Asks a Web Worker which backends there are. */
export async function findSupport(): Promise<readonly Support[]> {
  const worker = new Worker(new URL('./supportWorker.ts', import.meta.url), { type: 'module', name: 'support' });
  try {
    return await new Promise<readonly Support[]>((resolve) => {
      worker.addEventListener('message', ({ data }: MessageEvent<readonly Support[]>) => resolve(data));
      worker.addEventListener('error', ({ message }) => resolve(noWorkers(message)));
    });
  } finally {
    worker.terminate();
  }
}

function noWorkers(message: string): readonly Support[] {
  const reason = `the bench computes in a Web Worker, and this browser did not start one${message && `: ${message}`}`;
  return BACKENDS.map((backend) => ({ backend, reason, softwareGpu: false }));
}

/** Drivers that compute on the processor what a GPU should. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render/i;

/** Looks for every backend, in the thread that calls it. */
export async function supportHere(): Promise<readonly Support[]> {
  return [await webGPU(), webGL(), webAssembly(), { backend: 'cpu', device: 'plain JavaScript', softwareGpu: false }];
}

function webAssembly(): Support {
  const common = { backend: 'wasm', softwareGpu: false } as const;
  if (typeof WebAssembly === 'undefined') return { ...common, reason: 'this browser has no WebAssembly' };
  return { ...common, device: 'the processor, through WebAssembly' };
}

function webGL(): Support {
  const refused = (reason: string): Support => ({ backend: 'webgl', reason, softwareGpu: false });
  if (typeof OffscreenCanvas === 'undefined') {
    return refused('this browser has no OffscreenCanvas, without which there is no WebGL in a Web Worker');
  }
  const context = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (context === null) return refused('this browser gives Web Workers no WebGL 2 context');
  const names = context.getExtension('WEBGL_debug_renderer_info');
  const device = String(context.getParameter(names?.UNMASKED_RENDERER_WEBGL ?? context.RENDERER));
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return { backend: 'webgl', device, softwareGpu: SOFTWARE.test(device) };
}

async function webGPU(): Promise<Support> {
  const refused = (reason: string): Support => ({ backend: 'webgpu', reason, softwareGpu: false });
  if (!('gpu' in navigator)) {
    if (!isSecureContext) return refused('browsers give WebGPU only to pages from https or localhost');
    return refused('this browser has no WebGPU in Web Workers, or it is turned off');
  }
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (adapter === null) return refused('WebGPU finds no adapter: no GPU that the browser trusts');
  const { vendor, architecture, device, description } = adapter.info;
  const name = [vendor, architecture, device, description].filter((part) => part !== '').join(' ');
  return { backend: 'webgpu', device: name || 'a GPU without a name', softwareGpu: SOFTWARE.test(name) };
}
