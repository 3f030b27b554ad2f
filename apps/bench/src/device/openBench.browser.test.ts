import { readFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { describeInBrowser } from '@saccade/browser';
import { expect, it } from 'vitest';

const require = createRequire(import.meta.url);

/** The binaries of tfjs' wasm backend. */
const serve: RequestListener = async (request, response) => {
  try {
    const name = basename(new URL(request.url ?? '/', 'http://localhost').pathname);
    const file = await readFile(require.resolve(`@tensorflow/tfjs-backend-wasm/dist/${name}`));
    response.setHeader('content-type', 'application/wasm').end(file);
  } catch {
    response.writeHead(404).end();
  }
};

await describeInBrowser<typeof import('./testing/browserBench.ts')>(
  'openBench',
  new URL('./testing/browserBench.ts', import.meta.url),
  (page) => {
    it.each([
      ['cpu', /^processor \(cpu\)$/, false],
      ['wasm', /^processor \(wasm, SIMD\)$/, false],
      ['webgl', /SwiftShader/, true],
      ['webgpu', /swiftshader/i, true],
    ] as const)('%s: describes it, computes, watches and measures', async (backend, description, softwareGpu) => {
      const { device, versions, using } = await page().call('open', backend, '/binaries/');
      expect(using).toBe(backend);
      expect(device).toMatchObject({
        kind: 'device',
        backend,
        softwareGpu,
        description: expect.stringMatching(description),
      });
      expect(versions).toMatchObject({
        browser: expect.stringContaining('Chrome'),
        [`@tensorflow/tfjs-backend-${backend}`]: expect.stringMatching(/^4\./),
      });

      const { sum, peak, ours, gpuMs } = await page().call('compute');
      expect(sum).toBe(2000);
      expect(peak.tensorBytes).toBe(8000);
      if (backend === 'cpu') expect(peak).not.toHaveProperty('deviceBytes');
      else expect(peak.deviceBytes).toBeGreaterThanOrEqual(8000);
      expect(ours).toBe(backend === 'wasm' || backend === 'webgpu');
      expect(gpuMs, 'GPU time of a processor').toBeUndefined();

      const roofline = await page().call('roofline');
      for (const figure of ['bytesPerSecond', 'flopsPerSecond', 'dispatchMs'] as const) {
        expect(roofline?.[figure], figure).toBeGreaterThan(0);
        expect(roofline?.[figure], figure).toBeLessThan(Number.POSITIVE_INFINITY);
      }
      if (backend === 'webgpu') expect(await page().call('provokeError')).toMatch(/^the GPU reports 1 errors.*usage/is);
      expect(await page().call('close')).toBe(true);
    });
  },
  { webgpu: true, args: ['--enable-unsafe-swiftshader'], serve },
);
