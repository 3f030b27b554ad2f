import type { Member } from '@saccade/release';
import { describe, expect, it } from 'vitest';
import { type Layers, layerViolations } from './layers.ts';

const layers: Layers = {
  floors: [['tensor-ops'], ['nn'], ['weights', 'one', 'two'], ['backbones']],
  operators: ['one', 'two'],
  modelFree: ['weights'],
  tfjsFree: ['weights'],
};

type Extra = Partial<Member['manifest']>;

function member(name: string, extra: Extra = {}, folder: Member['folder'] = 'packages'): Member {
  return { folder, dir: `/${name}`, manifest: { name: `@saccade/${name}`, version: '0.0.0', ...extra } };
}

/** The healthy workspace, with one package described anew. */
function violations(name: string, extra: Extra): string[] {
  const names = ['tensor-ops', 'nn', 'weights', 'one', 'two', 'backbones'];
  return layerViolations(
    names.map((n) => member(n, n === name ? extra : {})),
    layers,
  );
}

const on = (dependency: string): Record<string, string> => ({ [dependency]: '1' });

describe('layerViolations', () => {
  it('lets a package use what lies below it', () => {
    expect(violations('backbones', { dependencies: { ...on('@saccade/nn'), ...on('@saccade/one') } })).toEqual([]);
  });

  it.each([
    ['nn', { dependencies: on('@saccade/one') }, 'nn (floor 1) may not depend on one (floor 2)'],
    ['one', { dependencies: on('@saccade/two') }, 'one (floor 2) may not depend on two (floor 2)'],
    ['one', { devDependencies: on('@saccade/backbones') }, 'one (floor 2) may not depend on backbones (floor 3)'],
    ['weights', { dependencies: on('@saccade/nn') }, 'weights must work without models'],
    ['weights', { peerDependencies: on('@tensorflow/tfjs-core') }, 'weights must work without TensorFlow.js'],
    ['nn', { dependencies: on('@tensorflow/tfjs-core') }, 'must be a peer'],
    ['nn', { peerDependencies: on('@tensorflow/tfjs-backend-webgpu') }, 'that is the task of tensor-ops'],
    ['nn', { dependencies: on('@saccade/tsconfig') }, 'nn ships with a dependency on private tsconfig'],
  ])('refuses %s with %o', (name, extra, message) => {
    expect(violations(name, extra).join('\n')).toContain(message);
  });

  it('lets private tools be development dependencies', () => {
    expect(violations('nn', { devDependencies: on('@saccade/tsconfig') })).toEqual([]);
  });

  it('wants every package on a floor, every floor inhabited, and every app and tool private', () => {
    const members = [member('new'), member('demo', {}, 'apps')];
    expect(layerViolations(members, { ...layers, floors: [['gone']] })).toEqual([
      'layers.json names "gone", but packages/gone does not exist',
      '@saccade/demo stands in apps/ and must be private',
      'packages/new stands on no floor: add it to tooling/check/layers.json',
    ]);
  });
});
