// Starts PyTorch, says where its folder is, and then does nothing until it is killed.
import { TorchProcess } from '../TorchProcess.node.ts';

const [, , program] = process.argv;
if (program === undefined) throw new Error('usage: holdTorch.program.ts PYTHON');
const torch = await TorchProcess.start({ program, threads: 1, patienceMs: 60_000 });
await torch.ask({ do: 'forget', work: 0 });
process.stdout.write(`${JSON.stringify('ready')}\n${JSON.stringify(torch.folder)}\n`);
process.stdin.resume();
