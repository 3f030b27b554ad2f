import { SaccadeError } from '@saccade/tensor-ops';
import { describe, expect, it } from 'vitest';
import { Module, ModuleList, type OptimizerStep } from './Module.ts';

class Listener extends Module {
  readonly rates: number[] = [];

  protected override stepped({ learningRate }: OptimizerStep): void {
    this.rates.push(learningRate);
  }
}

class Net extends Module {
  readonly parts = this.child('parts', new ModuleList([new Listener(), new Listener()]));
  readonly last = this.child('last', new Listener());
}

describe('afterStep', () => {
  it('tells every part of the tree once', () => {
    const net = new Net();
    net.afterStep({ learningRate: 0.1 });
    net.afterStep({ learningRate: 0.2 });
    for (const listener of [...net.parts.items, net.last]) expect(listener.rates).toEqual([0.1, 0.2]);
  });

  it('is refused after dispose', () => {
    const net = new Net();
    net.dispose();
    expect(() => net.afterStep({ learningRate: 0.1 })).toThrow(SaccadeError);
  });
});
