import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Terminal } from '../terminal/terminal.ts';
import { type ConvertOptions, convert } from './convert.ts';
import { type InspectOptions, inspect } from './inspect.ts';
import { type ListOptions, list } from './list.ts';
import { type VerifyOptions, verify } from './verify.ts';

const FILE = 'path, http(s) URL, or hf:owner/repo/file@revision, of any format that @saccade/weights reads';

/** Adds `saccade weights inspect | convert | verify | list`. */
export function addWeightsCommands(program: Command, terminal: Terminal): void {
  const weights = program
    .command('weights')
    .description('Files of weights: what is in them, other formats, whether they are sound.');
  addInspect(weights, terminal);
  addConvert(weights, terminal);
  addVerify(weights, terminal);
  weights
    .command('list')
    .description('Lists public checkpoints that the models of @saccade/backbones take.')
    .argument('[pattern]', 'of names; * stands for anything', '*')
    .option('--json', 'print JSON')
    .action((pattern: string, options: ListOptions) => list(pattern, options, terminal));
}

/** What all commands that read a file have in common. */
function reading(command: Command): Command {
  return command
    .option(
      '--key <path>',
      'where the state dict lies in a PyTorch file: keys with dots between, "." for outermost (default: found)',
    )
    .option(
      '--keep-prefixes',
      'keep "module." and "_orig_mod.", which wrappers put in front of names in PyTorch files',
    );
}

function addInspect(weights: Command, terminal: Terminal): void {
  reading(weights.command('inspect'))
    .description('Shows format, metadata, and a table of all tensors. Values are read for --norms only.')
    .argument('<file>', FILE)
    .option('--filter <pattern>', 'only tensors of these names; * stands for anything')
    .option('--norms', 'read all values, and show the norm (root of the sum of squares) of each tensor')
    .option('--json', 'print JSON')
    .action((file: string, options: InspectOptions) => inspect(file, options, terminal));
}

function addConvert(weights: Command, terminal: Terminal): void {
  reading(weights.command('convert'))
    .description('Writes the tensors of a file as another: format, names, dtype, or fitted to a model.')
    .argument('<input>', FILE)
    .argument('<output>', 'path; nothing is left of it if the command fails')
    .addOption(new Option('--format <format>', 'default: by the name of the output').choices(['safetensors', 'torch']))
    .addOption(new Option('--dtype <dtype>', 'of all floating point tensors').choices(['f32', 'f16', 'bf16']))
    .option('--only <pattern>', 'only tensors of these names; * stands for anything')
    .option('--strip-prefix <prefix>', 'take this off the names that begin with it')
    .option('--map <name>', 'rename by a map of @saccade/weights (tsm, image-to-video, deit3)')
    .option('--invert-map', 'apply the map backwards')
    .option('--add-prefix <prefix>', 'put this in front of every name, last of all')
    .option(
      '--metadata <key=value>',
      'add to the metadata (safetensors only); may be repeated',
      collectPairs,
      new Map(),
    )
    .option(
      '--for <model>',
      'fit to a model of @saccade/backbones: its names and shapes, nothing missing, nothing else',
    )
    .option('--classes <n>', 'with --for: classes of the model (default: those of its data set)', positiveInteger)
    .addOption(
      new Option('--head <what>', 'with --for: keep the classifier, or leave it out (the output lacks it)').choices([
        'keep',
        'replace',
      ]),
    )
    .option('--inflate', 'with --for: spread weights of an image network over time')
    .option('--resize-positions', 'with --for: resample position embeddings for the grid of the model')
    .option('--force', 'replace the output if it is there')
    .action((input: string, output: string, options: ConvertOptions) => convert(input, output, options, terminal));
}

function addVerify(weights: Command, terminal: Terminal): void {
  reading(weights.command('verify'))
    .description('Reads everything: checksums, every tensor, and whether all values are finite.')
    .argument('<file>', FILE)
    .option('--sha256 <hex>', 'compare the SHA-256 of the file; at least its first 8 digits')
    .option('--against <other>', 'compare names, dtypes, shapes and every value with another file')
    .option(
      '--tolerance <t>',
      'with --against: largest difference allowed, relative to the largest magnitude of each tensor; dtypes may then differ',
      tolerance,
    )
    .option('--allow-non-finite', 'accept NaN and infinite values')
    .action((file: string, options: VerifyOptions) => verify(file, options, terminal));
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('an integer >= 1 is needed.');
}

function tolerance(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('a number >= 0 is needed, such as 1e-6.');
}

function collectPairs(text: string, pairs: ReadonlyMap<string, string>): Map<string, string> {
  const [, key, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('key=value is needed.');
  return new Map(pairs).set(key, value);
}
