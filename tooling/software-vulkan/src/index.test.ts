import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SoftwareVulkanError, softwareVulkan } from './index.ts';

const supported = process.platform === 'linux' && process.arch === 'x64';

describe('softwareVulkan', () => {
  afterEach(() => vi.unstubAllGlobals());

  it.runIf(supported)('gives a driver, its manifest and a loader', async () => {
    const { icd, library, directory } = await softwareVulkan();
    expect(JSON.parse(readFileSync(icd, 'utf8'))).toHaveProperty('ICD.library_path', './libvk_swiftshader.so');
    const elf = readFileSync(library).subarray(1, 4).toString();
    expect(elf).toBe('ELF');
    expect(basename(directory)).toMatch(/^swiftshader-\d+\.\d+\.\d+$/);
  });

  it.runIf(supported)('unpacks once, however many ask', async () => {
    const all = await Promise.all([softwareVulkan(), softwareVulkan(), softwareVulkan()]);
    expect(new Set(all.map(({ directory }) => directory)).size).toBe(1);
  });

  it('says so where there is no driver for the platform', async () => {
    vi.stubGlobal('process', { ...process, platform: 'sunos', arch: 'x64' });
    await expect(softwareVulkan()).rejects.toThrow(SoftwareVulkanError);
    await expect(softwareVulkan()).rejects.toThrow(/linux x64 only, this is sunos x64/);
  });
});
