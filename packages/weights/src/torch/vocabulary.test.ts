import { describe, expect, it } from 'vitest';
import {
  get,
  global,
  int,
  type Part,
  pickleOf,
  program,
  put,
  storage,
  string,
  tensor,
  torchZip,
  tuple,
} from '../testing/pickleBuilder.ts';
import { keyList, legacyOf, torchErrorOf } from '../testing/torchBuilder.ts';
import { joined } from '../testing/zipBuilder.ts';
import { parseTorch } from './openTorch.ts';

const FOUR = new Uint8Array(16);
const WHOLE = tensor(storage('0', 4), int(0), tuple(int(2), int(2)), tuple(int(2), int(1)));

/** What attacks on pickles call: picklescan's tests and advisories, fickling's, and the classics. */
const MALICIOUS = `
  os.system os.popen os.execv os.remove posix.system nt.system sys.exit subprocess.Popen subprocess.check_output
  subprocess.getoutput commands.getoutput builtins.eval builtins.exec builtins.compile builtins.open builtins.getattr
  builtins.__import__ builtins.breakpoint builtins.apply __builtin__.eval __builtin__.exec __builtin__.file
  importlib.import_module imp.load_source runpy.run_path runpy._run_code code.interact codeop.compile_command pty.spawn
  shutil.rmtree socket.create_connection ssl.get_server_certificate webbrowser.open http.client.HTTPSConnection
  httplib.HTTPSConnection requests.api.get aiohttp.client.ClientSession urllib.request.urlopen urllib2.urlopen
  pickle.loads _pickle.loads dill.loads cloudpickle.loads marshal.loads types.CodeType types.FunctionType functools.partial
  functools.reduce operator.attrgetter operator.methodcaller _operator.itemgetter ctypes.CDLL multiprocessing.util.spawnv_passfds
  asyncio.unix_events._UnixSubprocessTransport._start tempfile.mktemp pathlib.Path.write_text io.open _io.FileIO pip.main
  pip._internal.main pkgutil.resolve_name site.main pdb.Pdb.run bdb.Bdb.run timeit.timeit cProfile.runctx profile.Profile.runctx
  trace.Trace.run doctest.debug_script idlelib.run.Executive idlelib.autocomplete.AutoComplete.get_entity
  lib2to3.pgen2.grammar.Grammar.loads uuid._get_command_stdout uuid._find_mac venv.create ensurepip._run_pip
  distutils.spawn.spawn setuptools.sandbox.run_setup inspect.getsource gc.get_objects signal.signal test.support.script_helper.x
  numpy.testing._private.utils.runstring numpy.f2py.crackfortran.getlincoef numpy.f2py.crackfortran._eval_length numpy.load
  numpy.memmap torch.load torch.storage._load_from_bytes torch.hub.load torch.jit.load torch.serialization.load
  torch.utils.bottleneck.__main__.run_cprofile torch.utils.bottleneck.__main__.run_autograd_prof
  torch.utils.collect_env.run torch.utils._config_module.ConfigModule.load_config torch.utils.data.datapipes.utils.decoder.basichandlers
  torch._dynamo.guards.GuardBuilder.get torch.fx.experimental.symbolic_shapes.ShapeEnv.evaluate_guards_expression
  torch._inductor.codecache.compile_file torch.distributed.elastic.multiprocessing.start_processes torch.Tensor.apply_
  torch.nn.modules.module.Module torch.nn.Parameter tensorflow.io.write_file keras.models.load_model joblib.load pandas.read_pickle
  numpy.core.multiarray.fromfile collections.OrderedDict.__init__ collections.defaultdict collections.namedtuple
  argparse._sys.exit argparse.FileType copyreg._reconstructor copy_reg._reconstructor __main__.Net __main__.x
  torch._utils._import_dotted_name torch._utils.classproperty torch.FloatStorage.from_file torch.FloatStorage._new_shared_filename_cpu
  torch.float32.__class__ _codecs.lookup_error codecs.encode
`
  .trim()
  .split(/\s+/);

describe('globals', () => {
  it.each(MALICIOUS)('%s is refused by name, called or not', (full) => {
    const [module, name] = [full.slice(0, full.lastIndexOf('.')), full.slice(full.lastIndexOf('.') + 1)];
    const call = [global(module, name), tuple(string('id')), 'REDUCE'] as const;
    for (const parts of [call, [global(module, name)], ['EMPTY_DICT', string('w'), ...call, 'SETITEM']] as Part[][]) {
      for (const file of [torchZip(pickleOf(...parts)), legacyOf(pickleOf(...parts), keyList())]) {
        const error = torchErrorOf(() => parseTorch(file));
        expect(error.code).toBe('RefusedGlobal');
        expect(error.refused).toBe(full);
        expect(error.message).toContain(full);
        expect(error.message).toContain('no unsafe mode');
      }
    }
  });

  it('tells programs from classes, and classes from whole models', () => {
    const messageOf = (module: string, name: string) =>
      torchErrorOf(() => parseTorch(torchZip(pickleOf(global(module, name))))).message;
    expect(messageOf('posix', 'system')).toMatch(/could run a program.*Do not open this file elsewhere/s);
    expect(messageOf('omegaconf.dictconfig', 'DictConfig')).toMatch(/none of the types.*torch\.save\(checkpoint/s);
    expect(messageOf('torchvision.models.resnet', 'ResNet')).toMatch(/whole model.*model\.state_dict\(\)/s);
  });

  it('splits a name only where the pickle does', () => {
    // "torch._utils" + "_rebuild_tensor_v2", written as another module with a dotted name.
    for (const [module, name] of [
      ['torch', '_utils._rebuild_tensor_v2'],
      ['', 'torch._utils._rebuild_tensor_v2'],
      ['collections.OrderedDict', ''],
    ] as const) {
      const file = torchZip(pickleOf(global(module, name), 'EMPTY_TUPLE', 'REDUCE'));
      expect(torchErrorOf(() => parseTorch(file)).code).toBe('RefusedGlobal');
    }
  });
});

describe('calls of what is on the list, with arguments it was not made for', () => {
  const od = global('collections', 'OrderedDict');
  const bytes = (text: string) => program(global('_codecs', 'encode'), tuple(string(text), string('latin1')), 'REDUCE');
  const dtype = (code: string) =>
    program(global('numpy', 'dtype'), tuple(string(code), 'NEWFALSE', 'NEWTRUE'), 'REDUCE');
  const array = program(
    global('numpy.core.multiarray', '_reconstruct'),
    tuple(global('numpy', 'ndarray'), tuple(int(0)), bytes('b')),
    'REDUCE',
  );
  it.each<[string, Part[]]>([
    ['a tensor without arguments', [global('torch._utils', '_rebuild_tensor_v2'), 'EMPTY_TUPLE', 'REDUCE']],
    ['a tensor of a string', [tensor(string('0'), int(0), tuple(int(1)), tuple(int(1)))]],
    ['a tensor of a tensor', [tensor(WHOLE, int(0), tuple(int(1)), tuple(int(1)))]],
    ['a negative offset', [tensor(storage('0', 4), int(-1), tuple(int(1)), tuple(int(1)))]],
    ['a negative size', [tensor(storage('0', 4), int(0), tuple(int(-1)), tuple(int(1)))]],
    ['a negative stride', [tensor(storage('0', 4), int(3), tuple(int(2)), tuple(int(-1)))]],
    [
      'a fractional size',
      [tensor(storage('0', 4), int(0), tuple(Uint8Array.of(0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0)), tuple(int(1)))],
    ],
    ['a size that is text', [tensor(storage('0', 4), int(0), tuple(string('1')), tuple(int(1)))]],
    ['fewer strides than sizes', [tensor(storage('0', 4), int(0), tuple(int(1), int(1)), tuple(int(1)))]],
    ['65 axes', [tensor(storage('0', 4), int(0), tuple(...Array(65).fill(int(1))), tuple(...Array(65).fill(int(1))))]],
    [
      'a parameter of a list',
      [global('torch._utils', '_rebuild_parameter'), tuple('EMPTY_LIST', 'NEWTRUE', 'EMPTY_DICT'), 'REDUCE'],
    ],
    ['a dtype that is called', [global('torch', 'float32'), 'EMPTY_TUPLE', 'REDUCE']],
    ['a storage class that is called', [global('torch', 'FloatStorage'), tuple(int(10)), 'REDUCE']],
    ['a state for a tensor', [WHOLE, 'EMPTY_DICT', 'BUILD']],
    [
      'another function through _rebuild_from_type_v2',
      [
        global('torch._tensor', '_rebuild_from_type_v2'),
        tuple(od, global('torch', 'Tensor'), 'EMPTY_TUPLE', 'EMPTY_DICT'),
        'REDUCE',
      ],
    ],
    [
      'another class through _rebuild_from_type_v2',
      [
        global('torch._tensor', '_rebuild_from_type_v2'),
        tuple(global('torch._utils', '_rebuild_tensor_v2'), od, 'EMPTY_TUPLE', 'EMPTY_DICT'),
        'REDUCE',
      ],
    ],
    ['an OrderedDict of a string', [od, tuple(string('ab')), 'REDUCE']],
    ['an OrderedDict of triples', [od, tuple(tuple(tuple(int(1), int(2), int(3)))), 'REDUCE']],
    ['an OrderedDict with a list as key', [od, tuple(tuple(tuple('EMPTY_LIST', int(2)))), 'REDUCE']],
    ['an OrderedDict with a key twice', [od, tuple(tuple(tuple(int(1), int(2)), tuple(int(1), int(3)))), 'REDUCE']],
    ['a set of a dict', [global('__builtin__', 'set'), tuple('EMPTY_DICT'), 'REDUCE']],
    ['a Namespace with arguments', [global('argparse', 'Namespace'), tuple(int(1)), 'NEWOBJ']],
    [
      'a Namespace with a list as state',
      [global('argparse', 'Namespace'), 'EMPTY_TUPLE', 'NEWOBJ', 'EMPTY_LIST', 'BUILD'],
    ],
    [
      'a Namespace in itself',
      [
        global('argparse', 'Namespace'),
        'EMPTY_TUPLE',
        'NEWOBJ',
        put(0),
        'EMPTY_DICT',
        string('a'),
        get(0),
        'SETITEM',
        'BUILD',
      ],
    ],
    ['another codec', [global('_codecs', 'encode'), tuple(string('a'), string('rot13')), 'REDUCE']],
    ['bytes of wide characters', [global('_codecs', 'encode'), tuple(string('\u0100'), string('latin1')), 'REDUCE']],
    ['a device of a dict', [global('torch', 'device'), tuple('EMPTY_DICT'), 'REDUCE']],
    ['a Size of a list', [global('torch', 'Size'), tuple('EMPTY_LIST'), 'REDUCE']],
    ['NumPy objects', [dtype('O8')]],
    ['NumPy text', [dtype('U5')]],
    [
      'a record of NumPy',
      [dtype('f8'), tuple(int(3), string('<'), tuple(dtype('f8')), 'NONE', 'NONE', int(-1)), 'BUILD'],
    ],
    [
      'a NumPy scalar of too few bytes',
      [global('numpy.core.multiarray', 'scalar'), tuple(dtype('f8'), bytes('abc')), 'REDUCE'],
    ],
    [
      'a NumPy scalar of a pickle',
      [global('numpy.core.multiarray', 'scalar'), tuple(dtype('f8'), 'EMPTY_LIST'), 'REDUCE'],
    ],
    [
      'another class of NumPy array',
      [global('numpy.core.multiarray', '_reconstruct'), tuple(od, tuple(int(0)), bytes('b')), 'REDUCE'],
    ],
    ['a NumPy array that is called', [global('numpy', 'ndarray'), tuple(int(5)), 'REDUCE']],
    [
      'a NumPy array of too few bytes',
      [array, tuple(int(1), tuple(int(9)), dtype('f8'), 'NEWFALSE', bytes('abc')), 'BUILD'],
    ],
    ['a NumPy array of objects', [array, tuple(int(1), tuple(int(1)), dtype('f8'), 'NEWFALSE', 'EMPTY_LIST'), 'BUILD']],
    ['another persistent id', [tuple(string('module'), od, 'NONE', 'NONE', 'NONE'), 'BINPERSID']],
    ['a persistent id of a string', [string('storage'), 'BINPERSID']],
    [
      'a storage of a class that is none',
      [tuple(string('storage'), od, string('0'), string('cpu'), int(4)), 'BINPERSID'],
    ],
    ['a storage with a negative size', [storage('0', -4)]],
    ['a storage with a fractional size', [storage('0', Uint8Array.of(0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0))]],
    [
      'a storage with a size of 2^200',
      [storage('0', joined(Uint8Array.of(0x8a, 26), new Uint8Array(25), Uint8Array.of(1)))],
    ],
    [
      'a storage with a number as key',
      [tuple(string('storage'), global('torch', 'FloatStorage'), int(0), string('cpu'), int(4)), 'BINPERSID'],
    ],
    ['a storage with a very long key', [storage('0'.repeat(1000), 4)]],
  ])('%s', (_, parts) => {
    const error = torchErrorOf(() => parseTorch(torchZip(pickleOf(...parts), { 0: FOUR })));
    expect(error.code, error.message).toBe('InvalidPickle');
  });
});
