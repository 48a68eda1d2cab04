"use strict";
// Draws the runs that stand in the document. Times are nanoseconds. No library, no network.
const runs = JSON.parse(document.getElementById("runs").textContent);
const body = document.body;
const NS = "http://www.w3.org/2000/svg";
const WIDTH = 960, LEFT = 70, RIGHT = 16, TOP = 14, BOTTOM = 34;
const color = (place) => `var(--run${place % 5})`;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.map((child) => (typeof child === "number" ? String(child) : child)));
  return made;
}
function shape(name, attributes = {}, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}
function time(ns) {
  const units = [["ns", 1], ["µs", 1e3], ["ms", 1e6], ["s", 1e9]];
  let [unit, size] = units[0];
  for (const [name, least] of units) if (ns >= least) [unit, size] = [name, least];
  const value = ns / size;
  return `${value >= 100 || unit === "ns" ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ${unit}`;
}
function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 999.5 && unit + 1 < units.length; unit++) bytes /= 1024;
  return `${bytes >= 99.95 || unit === 0 ? bytes.toFixed(0) : bytes >= 9.995 ? bytes.toFixed(1) : bytes.toFixed(2)} ${units[unit]}`;
}
const number = (value) => Math.round(value).toLocaleString("en-US");
const ratio = (value, base) => (base > 0 ? `×${(value / base).toFixed(2)}` : "–");

function section(id, title, ...children) {
  const made = element("section", { id }, element("h2", {}, title), ...children);
  body.append(made);
  return made;
}
function table(heads, rows, words = []) {
  const cell = (kind, text, place) => element(kind, words.includes(place) ? { class: "words" } : {}, text);
  const head = element("tr", {}, ...heads.map((text, place) => cell("th", text, place)));
  const lines = rows.map((row) => element("tr", {}, ...row.map((text, place) => cell("td", text, place))));
  return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...lines)));
}
function key(entries) {
  return element("div", { class: "key" }, ...entries.map(([name, paint, dash]) => {
    const ground = dash ? `repeating-linear-gradient(90deg, ${paint} 0 .35rem, transparent .35rem .55rem)` : paint;
    return element("span", {}, element("i", { style: `background:${ground}` }), name);
  }));
}
// A frame with axes: `x` and `y` turn values into places; ticks are [value, label].
function chart(height, x, y, xTicks, yTicks, label) {
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label });
  for (const [value, text] of yTicks) {
    svg.append(shape("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }));
    svg.append(shape("text", { x: LEFT - 8, y: y(value) + 4, "text-anchor": "end" }, text));
  }
  for (const [value, text] of xTicks) {
    svg.append(shape("line", { class: "grid", x1: x(value), x2: x(value), y1: TOP, y2: height - BOTTOM }));
    svg.append(shape("text", { x: x(value), y: height - BOTTOM + 18, "text-anchor": "middle" }, text));
  }
  return svg;
}
function path(points, paint, dash = "") {
  const d = points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  return shape("path", { class: "curve", d, style: `stroke:${paint}`, "stroke-dasharray": dash });
}
// Powers of ten, and their halves if there are few.
function logTicks(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of high / low < 50 ? [1, 2, 5] : [1]) {
      const value = step * 10 ** power;
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push([value, time(value)]);
    }
  }
  return ticks;
}
function linearTicks(high, count, text = number, least = 0) {
  const rough = Math.max(high, 1e-9) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough && size >= least) ?? least;
  const ticks = [];
  for (let value = 0; value <= high * 1.0001; value += step) ticks.push([value, text(value)]);
  return ticks;
}
// The same for sizes: powers of two.
function sizeTicks(high, count) {
  const step = 2 ** Math.ceil(Math.log2(Math.max(high, 1) / count));
  const ticks = [];
  for (let value = 0; value <= high * 1.0001; value += step) ticks.push([value, size(value)]);
  return ticks;
}
const logScale = (low, high, from, to) => (value) =>
  from + (Math.log(Math.min(Math.max(value, low), high) / low) / Math.log(high / low)) * (to - from);
const scale = (high, from, to) => (value) => from + (value / Math.max(high, 1e-9)) * (to - from);

function heading() {
  const title = runs.length > 1 ? "Runs compared" : runs[0].name;
  document.title = `${title} – stator bench`;
  body.append(element("h1", {}, title));
  for (const run of runs) {
    const began = new Date(run.started * 1000).toISOString().replace("T", " ").slice(0, 19);
    const early = run.interrupted ? ", ended early" : "";
    body.append(element("p", { class: "quiet" },
      `${runs.length > 1 ? run.name + ": " : ""}${began} UTC, ${run.seconds.toFixed(1)} s measured${early}, stator bench ${run.version}`));
    if (!run.rig.valid) {
      body.append(element("div", { class: "warning" },
        element("b", { class: "bad" }, `Invalid${runs.length > 1 ? ": " + run.name : ""}. `),
        "The rig did not keep up, so that these figures are partly its own: " + run.rig.complaints.join("; ") + "."));
    }
  }
}
function summary() {
  const base = runs[0];
  if (runs.length === 1) {
    const tile = (name, value) => element("div", { class: "tile" }, element("span", { class: "quiet" }, name), element("b", {}, value));
    section("summary", "Summary", element("div", { class: "tiles" },
      tile("went well, a second", number(base.achieved_rate)),
      tile("were to start, a second", base.offered_rate === null ? "closed loop" : number(base.offered_rate)),
      tile("p50", time(base.response.p50)), tile("p99", time(base.response.p99)),
      tile("p99.9", time(base.response.p99_9)), tile("longest", time(base.response.max)),
      tile("did not go well", number(base.failed.count))),
    element("p", { class: "quiet" }, base.offered_rate === null
      ? "In a closed loop latency leaves out what waits behind slow answers."
      : "Latency counts from when an operation was meant to start."));
    return;
  }
  const value = (pick, show) => runs.map((run) => run === base ? show(pick(run)) : `${show(pick(run))}  ${ratio(pick(run), pick(base))}`);
  section("summary", "Summary", element("p", { class: "quiet" }, `Ratios are to ${base.name}.`), table(
    ["", ...runs.map((run) => run.name)],
    [["went well, a second", ...value((run) => run.achieved_rate, number)],
      ["p50", ...value((run) => run.response.p50, time)], ["p90", ...value((run) => run.response.p90, time)],
      ["p99", ...value((run) => run.response.p99, time)], ["p99.9", ...value((run) => run.response.p99_9, time)],
      ["longest", ...value((run) => run.response.max, time)],
      ["did not go well", ...runs.map((run) => number(run.failed.count))]]));
}
function percentiles() {
  const curves = runs.map((run) => run.response.curve.filter(([, ns]) => ns > 0));
  const all = curves.flat();
  if (!all.length) return section("percentiles", "Percentiles", element("p", {}, "Nothing went well."));
  const deepest = Math.max(100, ...curves.map((curve) => Math.max(1, ...curve.filter(([q]) => q < 1).map(([q]) => 1 / (1 - q)))));
  const low = Math.min(...all.map(([, ns]) => ns)) * 0.9, high = Math.max(...all.map(([, ns]) => ns)) * 1.1;
  const height = 360;
  const x = logScale(1, deepest, LEFT, WIDTH - RIGHT), y = logScale(low, high, height - BOTTOM, TOP);
  const xTicks = [[1, "0 %"], [2, "50 %"], [10, "90 %"], [100, "99 %"], [1e3, "99.9 %"], [1e4, "99.99 %"], [1e5, "99.999 %"], [1e6, "99.9999 %"]]
    .filter(([value]) => value <= deepest);
  const svg = chart(height, x, y, xTicks, logTicks(low, high), "latency by percentile");
  const entries = [];
  curves.forEach((curve, place) => {
    const at = (q) => (q < 1 ? 1 / (1 - q) : deepest);
    const points = (list) => list.map(([q, ns]) => [x(at(q)), y(ns)]);
    svg.append(path(points(curve), color(place)));
    entries.push([runs.length > 1 ? runs[place].name : "from the intended start", color(place)]);
    if (runs.length === 1) {
      svg.append(path(points(runs[0].service.curve.filter(([, ns]) => ns > 0)), "var(--max)", "5 4"));
      entries.push(["from sending: what waiting hides", "var(--max)", "5 4"]);
    }
  });
  section("percentiles", "Percentiles", element("figure", {}, svg), key(entries));
}
function heat(run, place) {
  const slices = run.slices.filter((slice) => slice.count > 0);
  if (!slices.length) return;
  const first = slices[0].second, last = slices[slices.length - 1].second + 1;
  const classes = slices.flatMap((slice) => slice.classes.map(([start]) => start));
  const low = Math.min(...classes), high = Math.max(...classes) + 1;
  const height = 340, start = (c) => 1000 * 10 ** (c / 16);
  const x = (second) => LEFT + ((second - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = logScale(start(low), start(high), height - BOTTOM, TOP);
  const canvas = element("canvas", { width: WIDTH, height });
  canvas.style.width = "100%";
  const paint = canvas.getContext("2d");
  const most = Math.max(...slices.flatMap((slice) => slice.classes.map(([, count]) => count)));
  for (const slice of slices) {
    for (const [c, count] of slice.classes) {
      const share = Math.log(1 + count) / Math.log(1 + most);
      paint.fillStyle = `hsla(${215 - 175 * share}, 80%, 52%, ${0.18 + 0.75 * share})`;
      const top = y(start(c + 1));
      paint.fillRect(x(slice.second), top, Math.max(1, x(slice.second + 1) - x(slice.second)), y(start(c)) - top);
    }
  }
  const xTicks = linearTicks(last - first, 10, (value) => `${number(value)} s`, 1).map(([value, text]) => [value + first, text]);
  const svg = chart(height, x, y, xTicks, logTicks(start(low), start(high)), "latency over time");
  const line = (name) => slices.map((slice) => [x(slice.second + 0.5), y(slice[name])]);
  const lines = [["p50", "p50", "var(--p50)"], ["p99", "p99", "var(--p99)"], ["p99_9", "p99.9", "var(--p999)"], ["max", "longest", "var(--max)"]];
  for (const [name, , stroke] of lines) svg.append(path(line(name), stroke));
  section(place ? `heat${place}` : "heat", runs.length > 1 ? `Latency over time: ${run.name}` : "Latency over time",
    element("figure", { class: "map" }, canvas, svg), key(lines.map(([, name, stroke]) => [name, stroke])),
    element("p", { class: "quiet" }, "The warmer a field, the more operations took so long in that second."));
}
function throughput() {
  // Whole seconds of the measurement: what came in after its end is no second of it.
  const measured = runs.map((run) => {
    const first = run.slices.find((slice) => slice.count + slice.failures > 0)?.second ?? 0;
    const whole = Math.max(1, Math.floor(run.seconds + 0.05));
    return run.slices.filter((slice) => slice.second >= first && slice.second < first + whole)
      .map((slice) => ({ at: slice.second - first, count: slice.count, failures: slice.failures }));
  });
  const span = Math.max(1, ...measured.map((slices) => slices.length));
  const most = Math.max(1, ...measured.flat().map((slice) => Math.max(slice.count, slice.failures)));
  const height = 240, x = scale(span, LEFT, WIDTH - RIGHT), y = scale(most * 1.05, height - BOTTOM, TOP);
  const svg = chart(height, x, y, linearTicks(span, 10, (value) => `${number(value)} s`, 1), linearTicks(most, 5), "operations a second");
  const entries = [];
  runs.forEach((run, place) => {
    const points = (name) => measured[place].map((slice) => [x(slice.at + 0.5), y(slice[name])]);
    svg.append(path(points("count"), color(place)));
    entries.push([runs.length > 1 ? `${run.name}: went well` : "went well", color(place)]);
    if (run.failed.count > 0) {
      svg.append(path(points("failures"), "var(--bad)", place ? "5 4" : ""));
      entries.push([runs.length > 1 ? `${run.name}: did not` : "did not", "var(--bad)"]);
    }
  });
  section("throughput", "Operations a second", element("figure", {}, svg), key(entries));
}
function operations() {
  const rows = [];
  const names = [...new Set(runs.flatMap((run) => run.operations.map((operation) => operation.name)))];
  for (const name of names) {
    for (const run of runs) {
      const found = run.operations.find((operation) => operation.name === name);
      if (!found || !found.response.count) continue;
      const r = found.response;
      rows.push([runs.length > 1 ? `${name}, ${run.name}` : name, number(r.count), time(r.p50), time(r.p90), time(r.p99), time(r.p99_9), time(r.p99_99), time(r.max)]);
    }
  }
  section("operations", "By operation", table(["", "count", "p50", "p90", "p99", "p99.9", "p99.99", "longest"], rows));
}
function errors() {
  const rows = runs.flatMap((run) => [
    ...run.outcomes.map((found) => [runs.length > 1 ? run.name : found.operation ?? "", found.class, found.name, number(found.count)]),
    ...run.retries.map((found) => [runs.length > 1 ? run.name : "", "made again", `${found.class}: ${found.name}`, number(found.count)]),
    ...(run.reconnects ? [[runs.length > 1 ? run.name : "", "reconnected", "", number(run.reconnects)]] : [])]);
  section("errors", "What did not go well", rows.length
    ? table(["", "class", "what", "count"], rows, [1, 2])
    : element("p", {}, "Everything went well: no errors, no throttling, nothing made again."));
}
function sweep(run) {
  if (!run.sweep) return;
  const rows = run.sweep.steps.map((step) => [number(step.rate), number(step.achieved), time(step.p50), time(step.p99), time(step.p99_9),
    number(step.failures), step.valid ? (step.kept ? "kept" : "over") : "the rig did not keep up"]);
  section("sweep", "Sweep", element("p", {}, run.sweep.knee === null
    ? `No rate that was tried keeps p99 within ${time(run.sweep.limit)}.`
    : `${number(run.sweep.knee)} a second keep p99 within ${time(run.sweep.limit)}.`),
  table(["rate", "achieved", "p50", "p99", "p99.9", "failed", ""], rows, [6]));
}
// What the server tells of itself, where it does.
const told = runs.filter((run) => run.server && run.server.breakdown);
// Two stages that follow one another differ; the same stage has the same colour in every run.
const stageColor = (place) => `var(--stage${place % 12})`;
const stageNames = {
  receive: "receive: its body comes in", parse: "parse", execute: "execute: the operation itself", queue: "queue: waits for a thread",
  key_lock: "key lock", engine_read: "engine read", commit: "commit: order and memtable", wal_wait: "WAL wait: for groups before its own",
  sync: "sync: its group goes to the disk", delay: "delay: held back", respond: "respond" };
const short = (stage) => stage.replace("key_lock", "key lock").replace("engine_read", "engine read").replace("wal_wait", "WAL wait");
const stageName = (stage) => stageNames[stage] ?? short(stage);

// Bars of [paint, value, name], one below the other on one axis, each with a label and what is behind it.
function bars(rows, label) {
  const line = 30, left = 250, right = 84, height = TOP + rows.length * line + BOTTOM;
  const most = Math.max(1, ...rows.map((row) => row.parts.reduce((sum, [, value]) => sum + value, 0)));
  const x = scale(most, left, WIDTH - right);
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": label });
  for (const [value, text] of linearTicks(most, 6, time)) {
    svg.append(shape("line", { class: "grid", x1: x(value), x2: x(value), y1: TOP, y2: height - BOTTOM }));
    svg.append(shape("text", { x: x(value), y: height - BOTTOM + 18, "text-anchor": "middle" }, text));
  }
  rows.forEach((row, place) => {
    const y = TOP + place * line;
    svg.append(shape("text", { x: left - 8, y: y + line / 2 + 4, "text-anchor": "end", class: row.strong ? "strong" : "" }, row.label));
    let at = 0;
    for (const [paint, value, name] of row.parts) {
      if (value <= 0) continue;
      const part = shape("rect", { x: x(at), y: y + 4, width: Math.max(0.5, x(at + value) - x(at)), height: line - 8, style: `fill:${paint}` });
      part.append(shape("title", {}, `${name}: ${time(value)}`));
      svg.append(part);
      at += value;
    }
    svg.append(shape("text", { x: x(at) + 6, y: y + line / 2 + 4 }, time(at)));
  });
  return svg;
}
// Means of stages, several operations' one after the other.
function stacked(breakdown, names, pick) {
  const sums = breakdown.stages.map(() => 0);
  let known = true;
  for (const name of names) {
    const found = breakdown.operations.find((operation) => operation.name === name);
    const means = found && pick(found);
    if (!means) known = false;
    else means.forEach((mean, place) => { sums[place] += mean; });
  }
  return known ? sums : null;
}
function whereItGoes() {
  if (!told.length) return;
  const rows = [], slow = [], used = new Set();
  const means = (operation) => operation.stages.map((stage) => stage.mean);
  const parts = (breakdown, sums) => sums.map((mean, place) => {
    if (mean > 0) used.add(breakdown.stages[place]);
    return [stageColor(place), mean, stageName(breakdown.stages[place])];
  });
  const named = (name, run) => (runs.length > 1 ? `${name}, ${run.name}` : name);
  const kinds = [...new Set(told.flatMap((run) => run.operations.map((operation) => operation.name)))];
  for (const kind of kinds) {
    for (const run of told) {
      const breakdown = run.server.breakdown;
      const client = run.operations.find((operation) => operation.name === kind);
      if (!client || !client.response.count) continue;
      const sums = stacked(breakdown, client.requests ?? [], means);
      if (!sums) continue;
      const server = sums.reduce((sum, mean) => sum + mean, 0);
      rows.push({ label: named(kind, run), strong: true, parts: [
        ...parts(breakdown, sums),
        ["var(--around)", Math.max(0, client.service.mean - server), "around the server: network, kernel, rig"],
        ["var(--before)", Math.max(0, client.response.mean - client.service.mean), "before it was sent: waited for a connection"]] });
    }
  }
  const operations = [...new Set(told.flatMap((run) => run.server.breakdown.operations.map((operation) => operation.name)))];
  for (const name of operations) {
    for (const run of told) {
      const breakdown = run.server.breakdown;
      const found = breakdown.operations.find((operation) => operation.name === name);
      if (!found || !found.slow) continue;
      slow.push({ label: named(name, run), strong: true, parts: parts(breakdown, means(found)) });
      slow.push({ label: "its slowest 1 %", parts: parts(breakdown, found.slow.means) });
    }
  }
  const stages = told[0].server.breakdown.stages;
  const colors = stages.map((stage, place) => [stage, place]).filter(([stage]) => used.has(stage))
    .map(([stage, place]) => [stageName(stage), stageColor(place)]);
  section("stages", "Where the time goes",
    element("h3", {}, "A mean job, as the client sees it"),
    element("figure", {}, bars(rows, "means of stages, by job")),
    key([...colors, ["around the server: network, kernel, rig", "var(--around)"], ["before it was sent", "var(--before)"]]),
    element("p", { class: "quiet" }, "The server's stages are means of all requests of an operation, whoever asked for it; together with what is around them they are the client's mean."),
    element("h3", {}, "At the server, and its slowest requests"),
    element("figure", {}, bars(slow, "means of stages at the server, by operation")), key(colors),
    element("p", { class: "quiet" }, "From the head of a request to the answer. The slowest are those with the longest total there."),
    stageTable(named));
}
function stageTable(named) {
  const lines = [];
  const names = [...new Set(told.flatMap((run) => run.server.breakdown.operations.map((operation) => operation.name)))];
  for (const name of names) {
    for (const run of told) {
      const operation = run.server.breakdown.operations.find((found) => found.name === name);
      if (!operation) continue;
      const whole = [...operation.stages.filter((stage) => stage.count > 0), operation.total];
      for (const stage of whole) {
        lines.push([named(operation.name, run), stage === operation.total ? "total" : short(stage.name), number(stage.count), time(stage.mean),
          operation.total.mean > 0 ? `${(100 * stage.mean / operation.total.mean).toFixed(1)} %` : "–", time(stage.p50), time(stage.p99), time(stage.p99_9)]);
      }
    }
  }
  const shown = table(["", "stage", "requests in it", "mean of all", "share", "p50", "p99", "p99.9"], lines, [1]);
  let last = "";
  for (const row of shown.querySelectorAll("tbody tr")) {
    const name = row.firstChild.textContent;
    if (name === last) row.firstChild.textContent = "";
    else row.className = "first";
    last = name;
  }
  return shown;
}
// Time in each stage by second: areas on top of one another.
function stagesOverTime(run, place) {
  const { moments, stages } = run.server.breakdown;
  const with_some = moments.filter((moment) => moment.requests > 0);
  if (with_some.length < 2) return;
  const height = 240, span = moments[moments.length - 1].to;
  const mean = (moment, stage) => (moment.requests ? moment.spent_ns[stage] / moment.requests : 0);
  const total = (moment) => moment.spent_ns.reduce((sum, ns) => sum + ns, 0) / Math.max(1, moment.requests);
  const most = Math.max(1, ...moments.map(total));
  const x = scale(span, LEFT, WIDTH - RIGHT), y = scale(most * 1.05, height - BOTTOM, TOP);
  const svg = chart(height, x, y, linearTicks(span, 10, (value) => `${number(value)} s`, 1), linearTicks(most, 4, time), "mean time in each stage by second");
  const below = moments.map(() => 0);
  const entries = [];
  stages.forEach((stage, number) => {
    if (!moments.some((moment) => mean(moment, number) > most / 500)) {
      moments.forEach((moment, at) => { below[at] += mean(moment, number); });
      return;
    }
    const steps = (values) => moments.flatMap((moment, at) => [[x(Math.max(0, moment.from)), y(values[at])], [x(moment.to), y(values[at])]]);
    const lower = steps(below);
    moments.forEach((moment, at) => { below[at] += mean(moment, number); });
    const upper = steps(below);
    const d = [...upper, ...lower.reverse()].map(([px, py], at) => `${at ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("") + "Z";
    const area = shape("path", { class: "area", d, style: `fill:${stageColor(number)}` });
    area.append(shape("title", {}, stageName(stage)));
    svg.append(area);
    entries.push([short(stage), stageColor(number)]);
  });
  section(place ? `moments${place}` : "moments", told.length > 1 ? `Stages over time: ${run.name}` : "Stages over time",
    element("figure", {}, svg), key(entries),
    element("p", { class: "quiet" }, "Means of all requests that the server answered in a second."));
}
function lines(id, height, values, unit, label) {
  const span = Math.max(1, ...told.map((run) => run.server.breakdown.moments.at(-1)?.to ?? 0));
  const curves = told.flatMap((run, place) => values.map(([name, pick, dash]) =>
    ({ name: told.length > 1 ? `${run.name}: ${name}` : name, dash, paint: values.length > 1 && told.length === 1 ? color(values.findIndex(([other]) => other === name)) : color(place),
      points: run.server.breakdown.moments.map((moment) => [Math.max(0, (moment.from + moment.to) / 2), pick(moment)]) })));
  const most = Math.max(0, ...curves.flatMap((curve) => curve.points.map(([, value]) => value)));
  if (most === 0) return [];
  const x = scale(span, LEFT, WIDTH - RIGHT), y = scale(most * 1.05, height - BOTTOM, TOP);
  const svg = chart(height, x, y, linearTicks(span, 10, (value) => `${number(value)} s`, 1),
    unit === size ? sizeTicks(most, 4) : linearTicks(most, 3, unit), label);
  for (const curve of curves) svg.append(path(curve.points.map(([at, value]) => [x(at), y(value)]), curve.paint, curve.dash));
  return [element("h3", {}, label), element("figure", {}, svg), key(curves.map((curve) => [curve.name, curve.paint, curve.dash]))];
}
function engine() {
  if (!told.length) return;
  const rates = (pick) => (moment) => pick(moment) / Math.max(0.1, moment.to - moment.from);
  const drawn = [
    ...lines("debt", 170, [["compaction debt", (moment) => moment.compaction_debt_bytes, ""], ["memtables", (moment) => moment.memtable_bytes, "6 3"]], size, "Waiting to be written out"),
    ...lines("delay", 170, [["mean of those held back", (moment) => moment.delay_ns / Math.max(1, moment.delayed_commits), ""]], time, "Delay of a commit that was held back"),
    ...lines("throttled", 170, [["throttled", rates((moment) => moment.throttled_commits), ""], ["held back", rates((moment) => moment.delayed_commits), "6 3"]], number, "Commits throttled and held back, a second"),
    ...lines("written", 170, [["compactions", rates((moment) => moment.compaction_written_bytes), ""], ["flushes", rates((moment) => moment.flushed_bytes), "6 3"]], size, "Written by flushes and compactions, a second"),
    ...lines("group", 170, [["p99 of a group", (moment) => moment.group_p99, ""]], time, "Writing and syncing a group of the log"),
  ];
  const rows = [["commits", (e) => number(e.commits)], ["groups in the log", (e) => number(e.wal_groups)],
    ["a group, p50", (e) => time(e.group_write.p50)], ["a group, p99", (e) => time(e.group_write.p99)], ["a group, p99.9", (e) => time(e.group_write.p99_9)],
    ["throttled", (e) => number(e.throttled_commits)], ["held back", (e) => number(e.delayed_commits)], ["for, all together", (e) => time(e.delay_ns)],
    ["flushes", (e) => `${number(e.flushes)}, ${size(e.flushed_bytes)}`], ["compactions", (e) => `${number(e.compactions)}, ${size(e.compaction_written_bytes)}`],
    ["bytes written for a byte of commits", (e) => (e.write_amplification === null ? "–" : e.write_amplification.toFixed(2))],
    ["blocks in the cache when asked for", (e) => (e.block_cache_hit_rate === null ? "–" : `${(100 * e.block_cache_hit_rate).toFixed(1)} %`)],
    ["levels at the end", (e) => e.level_bytes.filter((bytes) => bytes > 0).map(size).join(", ") || "–"]];
  section("engine", "The storage engine meanwhile", ...drawn,
    table(["", ...told.map((run) => (runs.length > 1 ? run.name : ""))], rows.map(([name, show]) => [name, ...told.map((run) => show(run.server.breakdown.engine))])));
}
function costs() {
  const rows = runs.map((run) => [run.name,
    run.server && run.server.cpu_us_per_request !== null ? `${run.server.cpu_us_per_request.toFixed(1)} µs` : "not known",
    `${run.rig.cpu_us_per_request.toFixed(1)} µs`, `${(run.rig.busy * 100).toFixed(0)} %`, time(run.rig.lag.p50), time(run.rig.lag.p99), time(run.rig.lag.max)]);
  section("costs", "Processor time, and the rig's own delay",
    table(["", "server, a request", "rig, a request", "rig's threads busy", "delay p50", "p99", "longest"], rows));
}
function settings(id, title, member) {
  const names = [...new Set(runs.flatMap((run) => run[member].map((line) => line.name)))];
  const rows = names.map((name) => [name, ...runs.map((run) => run[member].find((line) => line.name === name)?.value ?? "–")]);
  section(id, title, table(["", ...runs.map((run) => (runs.length > 1 ? run.name : ""))], rows, runs.map((_, place) => place + 1)));
}

heading();
summary();
percentiles();
runs.forEach(heat);
throughput();
operations();
errors();
runs.forEach(sweep);
whereItGoes();
told.forEach(stagesOverTime);
engine();
costs();
settings("configuration", "Configuration", "configuration");
settings("machine", "Machine", "machine");
