import type { Handler } from '../handler.ts';
import { features, featuresIn, inputOf, networkOf } from './network.ts';

/** A whole UniFormer in evaluation mode: logits and the features on the way. */
export const uniformer: Handler = {
  family: 'structsa',
  kind: /^UniFormer (image|video) network, eval$/,
  async replay(golden, checks) {
    using model = networkOf(golden);
    model.loadStateDict(golden.state('state.'));
    model.eval();
    const x = inputOf(golden);
    await checks.tensors('forward', { output: model.forward(x) });
    await checks.tensors('forward', featuresIn(golden, 'feat.', features(model, x)));
    x.dispose();
  },
};
