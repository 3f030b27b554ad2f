import { describe, expect, it } from 'vitest';
import { MOTION_TASKS, motionClasses, orderBlindCeiling, reversedLabel } from './tasks.ts';

const names = (task: 'direction' | 'speed' | 'motion') => motionClasses(task).map(({ name }) => name);

describe('motion tasks', () => {
  it('name their classes in a fixed order, which trained weights depend on', () => {
    expect(names('direction')).toEqual(['left', 'right', 'up', 'down']);
    expect(names('speed')).toEqual(['constant', 'accelerate', 'decelerate', 'there-and-back']);
    expect(names('motion')).toHaveLength(16);
    expect(names('motion').slice(3, 6)).toEqual(['constant down', 'accelerate left', 'accelerate right']);
  });

  it('map classes to those of the film run backwards', () => {
    const backwards = (task: 'direction' | 'speed' | 'motion') =>
      names(task).map((_, label) => names(task)[reversedLabel(task, label)]);
    expect(backwards('direction')).toEqual(['right', 'left', 'down', 'up']);
    expect(backwards('speed')).toEqual(['constant', 'decelerate', 'accelerate', 'there-and-back']);
    const motion = backwards('motion');
    expect(motion[names('motion').indexOf('accelerate left')]).toBe('decelerate right');
    expect(motion[names('motion').indexOf('constant up')]).toBe('constant down');
    expect(motion[names('motion').indexOf('there-and-back up')]).toBe('there-and-back up');
  });

  it.each(MOTION_TASKS)('%s: backwards twice is forwards', (task) => {
    motionClasses(task).forEach((_, label) => {
      expect(reversedLabel(task, reversedLabel(task, label))).toBe(label);
    });
  });

  it('have the order-blind ceilings worked out by hand', () => {
    expect(orderBlindCeiling('direction', 8)).toBe(2 / 4);
    expect(orderBlindCeiling('speed', 8)).toBe(3 / 4);
    expect(orderBlindCeiling('motion', 8)).toBe(8 / 16);
    expect(orderBlindCeiling('motion', 7)).toBe(10 / 16);
  });
});
