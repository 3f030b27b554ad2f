import { type AxisGates, product, scaleByAxisGates } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { axisGate, type GateAxis, type GateWeights } from './gate.ts';

/** Weights of the gate of context over channels. */
export type ChannelWeights = Readonly<Record<'channel', GateWeights>>;

/** Weights of the gates of context over space and time. */
export type SpaceTimeWeights = Readonly<Record<'time' | 'height' | 'width', GateWeights>>;

/**
 * The two public versions of STinC: `august`, the present code, gates every value; `june`, the first release, averages
 * each gate over its channels first. Their weights have the same names; their results differ by 7 to 40 %.
 */
export type STinCVersion = 'august' | 'june';

/** The gates of one forward pass, for pictures: `channel` [B, T, H, W], `time` [B, H, W, C], `height` [B, T, W, C], `width` [B, T, H, C]. */
export type GateMaps = Partial<Readonly<Record<GateAxis, tf.Tensor4D>>>;

/** Takes the gates of a forward pass; they are freed when it returns: read or clone what is to be kept. */
export type GateReceiver = (maps: GateMaps) => void;

/** Channel attention: `C(X) = X * g_C(X)`; `x` [B, T, H, W, C] -> the same shape. */
export function channelAttention(x: tf.Tensor5D, weights: ChannelWeights, receive?: GateReceiver): tf.Tensor5D {
  return tf.tidy(() => {
    const channel = axisGate(x, 'channel', weights.channel);
    receive?.({ channel });
    return scalePositions(x, channel);
  });
}

/** Space-time attention: `ST(X) = X * (g_T(X) + g_H(X) + g_W(X)) / 3`; `x` [B, T, H, W, C] -> the same shape. */
export function spaceTimeAttention(x: tf.Tensor5D, weights: SpaceTimeWeights, receive?: GateReceiver): tf.Tensor5D {
  return tf.tidy(() => {
    const gates = spaceTimeGates(x, weights);
    receive?.({ ...gates });
    return scaleByAxisGates(x, gates);
  });
}

/**
 * Channel context in space-time attention: `CinST(X) = X * g_ST(X * g_C(X))`; `x` [B, T, H, W, C] -> the same shape.
 *
 * The channel gate acts inside of the space-time gate only; what is scaled at last is X itself.
 */
export function channelInSpaceTime(
  x: tf.Tensor5D,
  weights: ChannelWeights & SpaceTimeWeights,
  receive?: GateReceiver,
): tf.Tensor5D {
  return tf.tidy(() => {
    const channel = axisGate(x, 'channel', weights.channel);
    const gates = spaceTimeGates(scalePositions(x, channel), weights);
    receive?.({ channel, ...gates });
    return scaleByAxisGates(x, gates);
  });
}

/**
 * Space-time context in channel attention: `STinC(X) = X * g_C(X * g_ST(X))`; `x` [B, T, H, W, C] -> the same shape.
 *
 * @param version default `august`, the present public code
 */
export function spaceTimeInChannel(
  x: tf.Tensor5D,
  weights: ChannelWeights & SpaceTimeWeights,
  {
    version = 'august',
    receive,
  }: { readonly version?: STinCVersion; readonly receive?: GateReceiver | undefined } = {},
): tf.Tensor5D {
  return tf.tidy(() => {
    const gates = spaceTimeGates(x, weights);
    const context = version === 'june' ? scalePositions(x, meanOverChannels(gates)) : scaleByAxisGates(x, gates);
    const channel = axisGate(context, 'channel', weights.channel);
    receive?.({ channel, ...gates });
    return scalePositions(x, channel);
  });
}

function spaceTimeGates(z: tf.Tensor5D, weights: SpaceTimeWeights): AxisGates {
  return {
    time: axisGate(z, 'time', weights.time),
    height: axisGate(z, 'height', weights.height),
    width: axisGate(z, 'width', weights.width),
  };
}

/** The mean of the three gates, each averaged over channels first: [B, T, H, W]. */
function meanOverChannels({ time, height, width }: AxisGates): tf.Tensor4D {
  const [batch, rows, columns] = time.shape;
  const frames = width.shape[1];
  const sum = tf.add(
    tf.add(
      tf.reshape(tf.mean(time, 3), [batch, 1, rows, columns]),
      tf.reshape(tf.mean(height, 3), [batch, frames, 1, columns]),
    ),
    tf.reshape(tf.mean(width, 3), [batch, frames, rows, 1]),
  );
  return tf.div(sum, 3);
}

/** Every position of x [B, T, H, W, C] times its value in `gate` [B, T, H, W]. As rows: webgpu broadcasts no rank 5. */
function scalePositions(x: tf.Tensor5D, gate: tf.Tensor4D): tf.Tensor5D {
  const positions = product(gate.shape);
  const rows = tf.mul(tf.reshape(x, [positions, x.shape[4]]), tf.reshape(gate, [positions, 1]));
  return tf.reshape(rows, x.shape) as tf.Tensor5D;
}
