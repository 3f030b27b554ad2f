import { softwareVulkan } from '@saccade/software-vulkan';
import { type BackendInfo, type BackendName, setupBackend } from '@saccade/tensor-ops/node';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';

/** The backend that a block of tests runs on. */
export interface TestBackend {
  readonly name: BackendName;
  /** What was set up; there while tests and hooks run, not while they are collected. */
  readonly info: BackendInfo;
}

export interface DescribeOptions {
  /** Default: all three. */
  readonly backends?: readonly BackendName[];
}

/**
 * `describe`, once for each backend. The backend is set up before the tests and freed after them; a test that makes the
 * GPU report an error fails. Without a GPU, `webgpu` runs on SwiftShader; where that cannot be had either (it is for
 * Linux on x64 only) the block is skipped and says so.
 *
 * ```ts
 * describeOnBackends('relu', (backend) => {
 *   it('cuts at zero', () => expectClose(tf.relu([-1, 2]), [0, 2]));
 * });
 * ```
 */
export function describeOnBackends(
  title: string,
  tests: (backend: TestBackend) => void,
  { backends = ['cpu', 'wasm', 'webgpu'] }: DescribeOptions = {},
): void {
  for (const name of backends) {
    const reason = unavailable(name);
    if (reason !== undefined) {
      console.warn(`SKIPPED: ${title} on ${name}: ${reason}`);
      describe.skip(`${title} [${name}: skipped, ${reason}]`, () => tests(pendingBackend(name)));
      continue;
    }
    describe(`${title} [${name}]`, () => {
      const backend = pendingBackend(name);
      beforeAll(async () => {
        backend.started = await setupBackend(name, { softwareDriver: softwareVulkan });
      });
      afterEach(() => expectNoErrors(backend.info));
      afterAll(() => {
        backend.started?.dispose();
      });
      tests(backend);
    });
  }
}

/** Fails with the errors that the GPU reported since the last look. */
export async function expectNoErrors(info: Pick<BackendInfo, 'takeErrors'>): Promise<void> {
  expect(await info.takeErrors(), 'errors reported by the GPU').toEqual([]);
}

function pendingBackend(name: BackendName): TestBackend & { started?: BackendInfo } {
  return {
    name,
    get info() {
      if (this.started === undefined) throw new Error(`backend ${name} is set up in a hook: use it inside a test`);
      return this.started;
    },
  } as TestBackend & { started?: BackendInfo };
}

/**
 * Why this platform cannot run tests on a backend at all. Elsewhere a backend that does not start is a failure, not a
 * reason to skip.
 */
function unavailable(name: BackendName): string | undefined {
  if (name !== 'webgpu' || (process.platform === 'linux' && process.arch === 'x64')) return undefined;
  if (process.env.SACCADE_TEST_GPU === '1') return undefined;
  return (
    `no software driver for ${process.platform} ${process.arch}; ` +
    'set SACCADE_TEST_GPU=1 to run these tests on the GPU of this machine'
  );
}
