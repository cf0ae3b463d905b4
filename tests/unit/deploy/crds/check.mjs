// Judges Kubernetes objects by the published schemas of their kinds.
//     node check.mjs < objects.json      a list; prints a line a problem
import process from "node:process";

const packages = {
  "keda.sh": "keda",
  "monitoring.coreos.com": "prometheus-operator",
  "gateway.networking.k8s.io": "gateway-api",
};

// A schema looks at every field that it knows of: what nobody has looked at is a field that there isn't.
function watched(value, path, unread) {
  if (value === null || typeof value !== "object") return value;
  const list = Array.isArray(value);
  const seen = list ? [] : {};
  for (const [key, child] of Object.entries(value)) {
    if (!list) unread.add(`${path}/${key}`);
    seen[key] = watched(child, `${path}/${key}`, unread);
  }
  return new Proxy(seen, {
    get(target, key) {
      unread.delete(`${path}/${String(key)}`);
      return target[key];
    },
  });
}

async function problems(object) {
  const [group, version] = object.apiVersion.split("/");
  const file = `./node_modules/@kubernetes-models/${packages[group]}/${group}/${version}/${object.kind}.js`;
  const { validate } = (await import(file))[object.kind].prototype;
  const unread = new Set();
  try {
    validate.call(watched(object, "", unread));
  } catch (error) {
    return [error.message];
  }
  return [...unread].map((path) => `${path} is no field`);
}

let text = "";
for await (const chunk of process.stdin) text += chunk;
for (const object of JSON.parse(text)) {
  for (const problem of await problems(object)) console.log(`${object.kind} ${object.metadata.name}: ${problem}`);
}
