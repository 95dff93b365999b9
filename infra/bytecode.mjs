// Compiles a directory's Python for Lambda's runtime: `node bytecode.mjs DIRECTORY`.
// CPython 3.14 as WebAssembly, so that a machine with any Python, or none, makes the same files.
import { loadPyodide } from "pyodide";

const python = await loadPyodide();
python.mountNodeFS("/asset", process.argv[2]);
const [version, failed] = python.runPython(`
import compileall, py_compile, sys
done = compileall.compile_dir(
    "/asset", quiet=1, force=True, stripdir="/asset", prependdir="/var/task",
    invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
)
f"{sys.version_info.major}.{sys.version_info.minor}", not done
`).toJs();
if (version !== "3.14" || failed) {
  console.error(failed ? "some modules do not compile" : `this is Python ${version}, expected 3.14`);
  process.exit(1);
}
