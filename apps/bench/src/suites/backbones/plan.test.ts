import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { BenchBackend, SuitePlace } from '../../core/comparison.ts';
import { clipFamilies, imageFamilies, picoFamilies, stepFamilies } from './families.ts';
import { backbonesSuite } from './index.ts';
import { inputShape } from './network.ts';

const place = (backend: BenchBackend, scale: SuitePlace['scale'], softwareGpu = false): SuitePlace => ({
  home: 'node',
  backend,
  softwareGpu,
  scale,
});

const FAMILIES = [...imageFamilies(), ...clipFamilies(false), ...stepFamilies(false), ...picoFamilies()];

describe('the list of comparisons', () => {
  it.each([place('wasm', 'quick'), place('wasm', 'full'), place('webgpu', 'full'), place('webgpu', 'full', true)])(
    'has names of its own and allocates nothing: %o',
    async (where) => {
      await tf.setBackend('cpu');
      const tensors = tf.memory().numTensors;
      const comparisons = backbonesSuite.comparisons(where);
      expect(tf.memory().numTensors).toBe(tensors);
      const ids = comparisons.map(({ id }) => id);
      expect(ids.length).toBeGreaterThan(0);
      expect(new Set(ids).size).toBe(ids.length);
      for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9./-]+$/);
    },
  );

  it('has the comparisons with peers in quick and full runs, and nothing large on a software driver', () => {
    const ids = (where: SuitePlace) => backbonesSuite.comparisons(where).map(({ id }) => id);
    expect(ids(place('wasm', 'quick'))).toContain('peers/vit-ti-160/forward');
    expect(ids(place('wasm', 'full'))).toEqual(
      expect.arrayContaining(['peers/vit-s/forward', 'peers/resnet50/forward', 'clips/tsm-resnet50-aia/forward']),
    );
    expect(ids(place('webgpu', 'full', true))).toEqual(['clips/pico/forward']);
    expect(ids(place('webgpu', 'quick', true))).toEqual([]);
  });
});

describe('the networks', () => {
  it('have names of their own within a family, one input, and costs', () => {
    for (const { networks } of FAMILIES) {
      expect(new Set(networks.map(({ name }) => name)).size).toBe(networks.length);
      for (const network of networks) {
        const { cost } = network;
        expect(inputShape(network)).toEqual(inputShape(networks[0]));
        expect(Math.min(cost.params, cost.macs)).toBeGreaterThan(0);
      }
    }
  });

  it('cover every family of the catalogue, on images and on clips', () => {
    const names = FAMILIES.flatMap(({ networks }) => networks.map(({ name }) => name)).join(' ');
    for (const family of [
      /\bdeit_b\b/,
      /structvit_b_4_1\b/,
      /lisa_s\b/,
      /dgt_b/,
      /resnet101/,
      /structvit_s_4_1_video/,
    ]) {
      expect(names).toMatch(family);
    }
  });

  it('have the parameters that their costs say', async () => {
    await tf.setBackend('cpu');
    for (const network of picoFamilies().flatMap(({ networks }) => networks)) {
      const model = network.build();
      expect(model.parameterCount()).toBe(network.cost.params);
      model.dispose();
    }
  });
});
