import { inflateStateDict } from '@saccade/backbones';
import type { Handler } from '../handler.ts';
import { features, featuresIn, inputOf, networkOf } from './network.ts';

const [IMAGE, VIDEO] = ['.w2d', '.w3d'];

/** Weights that gain a time axis: one by one, and a whole image network made into a video network. */
export const inflation: Handler = {
  family: 'structsa',
  kind: /^2-D to 3-D weight inflation/,
  async replay(golden, checks) {
    const names = golden.names('').flatMap((name) => (name.endsWith(IMAGE) ? [name.slice(0, -IMAGE.length)] : []));
    const image = new Map(names.map((name) => [name, golden.get(name + IMAGE)]));
    const target = new Map(names.map((name) => [name, { shape: golden.get(name + VIDEO).shape }]));
    const inflated = inflateStateDict(image, target);
    for (const name of names) checks.values('forward', name + VIDEO, inflated.get(name));

    const base = await golden.mentionedFile('model');
    using model = networkOf(base, { gridRank: 3 });
    model.loadStateDict(inflateStateDict(base.state('state.'), await model.stateDict()));
    model.eval();
    const x = inputOf(golden, 'model.input');
    await checks.tensors('forward', { 'model.output': model.forward(x) });
    await checks.tensors('forward', featuresIn(golden, 'model.feat.', features(model, x)));
    x.dispose();
  },
};
