import { PickleError } from '../pickle/errors.ts';

/** Modules whose functions start programs, run code, open files or connections. For the wording only: nothing is let in. */
const DANGEROUS = `
  os posix nt ntpath posixpath sys subprocess _posixsubprocess pty shutil socket builtins __builtin__ importlib
  imp runpy code codeop pickle _pickle cPickle dill cloudpickle marshal types functools operator _operator ctypes
  multiprocessing threading asyncio webbrowser http httplib urllib urllib2 requests ssl smtplib ftplib telnetlib
  tempfile pathlib io _io pip pkgutil site pdb bdb timeit cProfile profile trace doctest unittest test inspect gc
  signal commands platform getpass uuid venv ensurepip distutils setuptools lib2to3 idlelib numpy.f2py
  numpy.testing numpy.distutils torch.utils.bottleneck torch.utils.cpp_extension torch.utils.collect_env
  torch.utils.data.datapipes torch.hub torch.jit torch._dynamo torch._inductor torch.fx torch.distributed
  torch.storage torch.serialization
`
  .trim()
  .split(/\s+/);

/** The same two lines for everybody who knows and trusts the author of a file. */
const RESAVE =
  "  checkpoint = torch.load('file.pth', map_location='cpu', weights_only=False)\n" +
  "  torch.save(checkpoint['model'], 'weights.pth')  # the state dict, under whatever key it lies";

/**
 * The refusal of a class or function: what it is, why it is not built, and the way out. There is no option that lets it
 * through.
 */
export function refusedGlobal(module: string, name: string): PickleError {
  const refused = `${module}.${name}`;
  const end = 'Nothing was run, and this reader has no unsafe mode.';
  if (DANGEROUS.some((dangerous) => module === dangerous || module.startsWith(`${dangerous}.`))) {
    return new PickleError(
      'RefusedGlobal',
      `the pickle asks for ${refused}, which has no place in a file of weights: loading it in Python could run a program. ` +
        `${end} Do not open this file elsewhere unless you know who wrote it.`,
      { refused },
    );
  }
  const isModule = /^torch\.nn\.modules\.|^torchvision\.models\.|^timm\.models\./.test(module) || module === '__main__';
  const what = isModule
    ? `the pickle holds a whole model (the class ${refused}), not only its weights: building it would run the code of that class.`
    : `the pickle asks for ${refused}, which is none of the types that hold weights, and building it could run code.`;
  const resave = isModule
    ? "  model = torch.load('file.pth', map_location='cpu', weights_only=False)\n  torch.save(model.state_dict(), 'weights.pth')"
    : RESAVE;
  return new PickleError(
    'RefusedGlobal',
    `${what} ${end} If you trust its author, save the weights alone, in PyTorch:\n${resave}`,
    { refused },
  );
}
