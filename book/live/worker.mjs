/* Python away from the page: a module worker that loads Pyodide from this site when the first cell is run.
   It is sent {id, code, check, files} and sends back {id, status, done} on the way and {id, result} at the end; what it loads is listed in live.json. */
const here = new URL("./", import.meta.url);
const place = "/book/"; // the site's folder as Python sees it: cells run in chapters/ and read ../data/
const kept = new Map(); // content of files by name
let python, tell;

/* Counts what is fetched of `sizes` as it comes in. That Python asks this site alone, whatever a cell tries, is the page's policy: see live.js. */
function counted(sizes) {
  const fetched = self.fetch.bind(self), total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  let got = 0;
  self.fetch = async (asked, ...rest) => {
    const answer = await fetched(asked, ...rest);
    const name = new URL(asked?.url ?? asked, here).pathname.split("/").pop();
    if (!(name in sizes) || !answer.ok || !answer.body) return answer;
    const count = new TransformStream({
      transform(part, out) {
        got += part.byteLength;
        tell({ status: "Loading Python", done: Math.min(got / total, 1) });
        out.enqueue(part);
      },
    });
    return new Response(answer.body.pipeThrough(count), { status: answer.status, headers: answer.headers });
  };
}

async function read(name) {
  const answer = await fetch(new URL(name, here));
  if (!answer.ok) throw new Error(`${name} is not there (${answer.status})`);
  return answer;
}

async function start() {
  const list = await (await read("live.json")).json();
  tell({ status: "Loading Python", done: 0 });
  counted(list.bytes);
  const engine = new URL(`../${list.engine}/`, here);
  const { loadPyodide } = await import(new URL("pyodide.mjs", engine).href);
  const pyodide = await loadPyodide({ indexURL: engine.href, checkAPIVersion: true });
  tell({ status: "Starting Python", done: 1 });
  const library = new Uint8Array(await (await read(list.library)).arrayBuffer());
  pyodide.FS.mkdirTree(`${place}chapters`);
  pyodide.FS.writeFile(`${place}${list.library}`, library);
  pyodide.runPython(`import os, sys\nsys.path.insert(0, "${place}${list.library}")\nos.chdir("${place}chapters")`);
  return { pyodide, list, run: pyodide.pyimport("live_runner").run_json };
}

/* Lays the records beside the cell: all of each study that the code names, and `files`. Written anew each time: a cell may have changed them. */
async function lay(pyodide, list, code, files) {
  for (const name of list.files.filter((name) => files.includes(name) || code.includes(name.split("/")[1]))) {
    if (!kept.has(name)) kept.set(name, new Uint8Array(await (await read(name)).arrayBuffer()));
    pyodide.FS.mkdirTree(place + name.slice(0, name.lastIndexOf("/")));
    pyodide.FS.writeFile(place + name, kept.get(name));
  }
}

self.onmessage = async ({ data: { id, code, check, files } }) => {
  tell = (about) => postMessage({ id, ...about });
  try {
    python ??= start();
    const { pyodide, list, run } = await python;
    await lay(pyodide, list, code + check, files);
    tell({ status: "Running", done: 1 });
    tell({ result: JSON.parse(run(code, check)) });
  } catch (fault) {
    const error = `Python could not be loaded or has broken down: ${fault.message ?? fault}. Run the cell again to load it anew.`;
    tell({ broken: true, result: { stdout: "", value: "", text: "", error } });
  }
};
