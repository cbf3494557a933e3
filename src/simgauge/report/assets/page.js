// The gauge slider: reads the numbers that travel with this page, moves the gauge, and draws what changes.
(() => {
  "use strict";
  const element = document.getElementById("numbers");
  if (!element) return;
  const data = JSON.parse(element.textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
  const floats = (text) => new Float32Array(bytes(text));
  const n = data.n_travelling, width = data.n_components, k = data.k;
  const steps = new Int16Array(bytes(data.coordinates.steps)), scale = floats(data.coordinates.scale);
  const popularity = data.popularity ? floats(data.popularity) : null;
  const candidates = readCandidates();
  const forms = {}, normsOf = {};

  function readCandidates() {
    if (!data.candidates) return null;
    const counts = new Uint16Array(bytes(data.candidates.counts));
    const positions = new Uint16Array(bytes(data.candidates.positions));
    let start = 0;
    return Array.from(counts, (count) => positions.subarray(start, (start += count)));
  }

  // Vectors of all items in one canonical form (before the power), or as shipped.
  function form(name) {
    if (forms[name]) return forms[name];
    const source = name === "shipped" ? { matrix: data.shipped } : data.by_center[name];
    const mean = source.mean ? floats(source.mean) : new Float32Array(width);
    const matrix = source.matrix ? floats(source.matrix) : null;
    const diagonal = source.diagonal ? floats(source.diagonal) : null;
    const rank = matrix ? matrix.length / width : width;
    const vectors = new Float32Array(n * rank), row = new Float64Array(width), out = new Float64Array(rank);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < width; j++) row[j] = steps[i * width + j] * scale[i] - mean[j];
      if (diagonal) for (let j = 0; j < rank; j++) out[j] = row[j] * diagonal[j];
      else {
        out.fill(0);
        for (let j = 0; j < width; j++)
          for (let c = 0, at = j * rank, value = row[j]; c < rank; c++) out[c] += value * matrix[at + c];
      }
      vectors.set(out, i * rank);
    }
    const s = source.singular_values ? floats(source.singular_values) : new Float32Array(rank).fill(1);
    return (forms[name] = { vectors, rank, s });
  }

  const key = (gauge) => (gauge.shipped ? "shipped" : gauge.center + " " + gauge.power);

  // Weights of the directions and lengths of all items in a gauge.
  function moved(gauge) {
    const name = key(gauge);
    const { vectors, rank, s } = form(gauge.shipped && data.shipped ? "shipped" : gauge.center);
    if (!normsOf[name]) {
      const power = gauge.shipped && data.shipped ? 0 : 2 * gauge.power;
      const weights = Float64Array.from(s, (value) => value ** power), lengths = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0, at = i * rank; j < rank; j++) sum += weights[j] * vectors[at + j] ** 2;
        lengths[i] = Math.sqrt(sum);
      }
      normsOf[name] = { weights, lengths };
    }
    return { vectors, rank, ...normsOf[name] };
  }

  function product(space, a, b) {
    let sum = 0;
    for (let j = 0, x = a * space.rank, y = b * space.rank; j < space.rank; j++)
      sum += space.weights[j] * space.vectors[x + j] * space.vectors[y + j];
    return sum;
  }

  function cosine(space, a, b) {
    const lengths = space.lengths[a] * space.lengths[b];
    return lengths > 0 ? product(space, a, b) / lengths : 0;
  }

  // The nearest items of one item: {index, score, cosine}, as many as asked.
  function list(item, gauge, count = k) {
    const space = moved(gauge), found = [];
    const among = candidates ? candidates[item] : null, size = among ? among.length : n;
    const own = gauge.norm_power ? space.lengths[item] ** gauge.norm_power : 1;
    for (let place = 0; place < size; place++) {
      const other = among ? among[place] : place;
      if (other === item) continue;
      const near = cosine(space, item, other);
      const score = gauge.norm_power ? near * own * space.lengths[other] ** gauge.norm_power : near;
      if (found.length < count || score > found[found.length - 1].score) {
        let at = found.length;
        while (at > 0 && found[at - 1].score < score) at--;
        found.splice(at, 0, { index: other, score, cosine: near });
        if (found.length > count) found.pop();
      }
    }
    return found;
  }

  // Scores of the sampled users in a gauge, from the moved vectors of both sides.
  function predictions(gauge) {
    const known = data.predictions, plain = gauge.shipped;
    const users = floats(plain ? known.shipped : known.by_center[gauge.center]);
    const { vectors, rank, s } = form(plain ? "shipped" : gauge.center);
    return Array.from({ length: known.n_users }, (_, user) => known.items.map((item) => {
      let sum = 0;
      for (let j = 0; j < rank; j++) {
        const power = plain ? 1 : s[j] ** gauge.power;
        sum += (users[user * rank + j] / power) * (vectors[item * rank + j] * power);
      }
      return sum;
    }));
  }

  const shippedGauge = data.shipped ? { shipped: true, center: "none", power: 1, norm_power: 0 }
    : data.shipped_is ? { ...data.shipped_is, shipped: true } : null;
  const reference = shippedGauge || { ...data.presets[data.presets.length - 1] };
  window.simgauge = { data, list, predictions, shippedGauge };

  // ---------------------------------------------------------------- what is shown
  const $ = (id) => document.getElementById(id);
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const centers = Object.keys(data.by_center);
  const state = { item: data.shown[0], gauge: { ...(data.presets[data.presets.length - 1] || reference), shipped: false } };
  const name = (index) => make("bdi", {}, data.names[index]);
  const percent = (share) => Math.round(100 * share) + " %";

  function drawList(target, entries, others, note) {
    const marked = new Set(others.map((entry) => entry.index));
    const top = Math.max(...entries.map((entry) => Math.abs(entry.score)), 1e-12);
    const rows = entries.map((entry) => {
      const here = marked.has(entry.index);
      const bar = make("i", { class: "bar", style: `--w:${(100 * Math.max(0, entry.score)) / top}%` });
      const row = make("li", here ? {} : { class: "changed" }, make("span", { class: "name" }, asking(entry.index)));
      if (!here) row.append(make("span", { class: "mark" }, note));
      row.append(make("span", { class: "score" }, entry.score.toPrecision(2)), bar);
      return row;
    });
    target.replaceChildren(...rows);
  }

  // A name that asks for its own list, where that can be made here.
  function asking(index) {
    if (index >= data.n_asked) return name(index);
    const button = make("button", { type: "button", class: "link" }, name(index));
    button.addEventListener("click", () => { take(index); document.querySelector("#list-now button")?.focus(); });
    return button;
  }

  function bounds(cosineValue, kappa) {
    const half = Math.tan(Math.acos(Math.max(-1, Math.min(1, cosineValue))) / 2);
    return [Math.cos(2 * Math.atan(half * Math.sqrt(kappa))), Math.cos(2 * Math.atan(half / Math.sqrt(kappa)))];
  }

  const certified = data.certificates && {
    at: new Map(data.certificates.items.map((item, place) => [item, place])),
    thresholds: floats(data.certificates.thresholds),
    rivals: new Uint16Array(bytes(data.certificates.rivals)),
  };

  function drawCertainty(entries) {
    const box = $("certainty");
    if (!box || !shippedGauge) return;
    const place = certified ? certified.at.get(state.item) : undefined;
    const body = entries.map((entry, rank) => {
      const [low, high] = bounds(entry.cosine, 2);
      const track = make("span", { class: "track" }, make("i", { style: `--a:${50 + 50 * low}%;--b:${50 + 50 * high}%` }),
        make("b", { style: `--a:${50 + 50 * entry.cosine}%` }));
      const cells = [make("th", { scope: "row" }, name(entry.index)),
        make("td", {}, track, make("span", { class: "small" }, `${low.toFixed(2)} to ${high.toFixed(2)}`))];
      if (place !== undefined) {
        const threshold = certified.thresholds[place * k + rank];
        const rival = data.certificates.rival_names[certified.rivals[place * k + rank]];
        cells.push(make("td", { "data-label": "stays in the list below" }, threshold > 1e8 ? "any κ" : "κ " + threshold.toPrecision(3)),
          make("td", { "data-label": "who ties then:" }, rival ? make("bdi", {}, rival) : "nobody"));
      }
      return make("tr", {}, ...cells);
    });
    const heads = ["neighbour as shipped", "cosine under metrics up to κ = 2"];
    if (place !== undefined) heads.push("stays in the list below", "who ties then");
    const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
    box.replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
  }

  function colour(value) {
    const share = Math.min(1, Math.abs(value));
    return `color-mix(in srgb, var(${value < 0 ? "--cold" : "--warm"}) ${Math.round(100 * share)}%, var(--card))`;
  }

  function drawHeat(items) {
    const space = moved(state.gauge), svg = $("heat"), size = 300 / items.length;
    const ns = "http://www.w3.org/2000/svg", cells = [];
    items.forEach((a, row) => items.forEach((b, column) => {
      const value = a === b ? 1 : cosine(space, a, b), rect = document.createElementNS(ns, "rect");
      const place = { x: column * size, y: row * size, width: size - 0.6, height: size - 0.6 };
      for (const [attribute, number] of Object.entries(place)) rect.setAttribute(attribute, number.toFixed(2));
      rect.style.fill = colour(value);
      const title = document.createElementNS(ns, "title");
      title.textContent = `${data.names[a]} and ${data.names[b]}: ${value.toFixed(2)}`;
      rect.append(title);
      cells.push(rect);
    }));
    svg.replaceChildren(...cells);
    $("heat-names").replaceChildren(...items.map((item) => make("li", {}, name(item))));
  }

  const label = { none: "no centring", users: "users centred", items: "items centred", both: "both sides centred" };
  const alpha = (power) => ["0", "¼", "½", "¾", "1"][data.powers.indexOf(power)] || String(power);

  function drawPredictions() {
    const box = $("predictions");
    if (!box || !data.predictions) return "";
    if (!shippedGauge) return "";
    const before = predictions(shippedGauge), now = predictions(state.gauge);
    const largest = Math.max(...before.flat().map(Math.abs), 1e-30);
    let change = 0, beyond = 0;
    now.forEach((row, user) => {
      const moves = row.map((value, item) => value - before[user][item]);
      const shift = moves.reduce((sum, value) => sum + value, 0) / moves.length;
      change = Math.max(change, ...moves.map(Math.abs));
      beyond = Math.max(beyond, ...moves.map((value) => Math.abs(value - shift)));
    });
    const decimals = Math.min(20, Math.max(0, 3 - Math.ceil(Math.log10(largest))));
    const digits = (value) => value.toFixed(decimals).replace(/^-(0(\.0*)?)$/, "$1");
    const head = make("tr", {}, make("th", {}, ""), ...now.map((_, user) => make("th", { scope: "col" }, "user " + (user + 1))));
    const body = data.predictions.items.map((item, place) => make("tr", {}, make("th", { scope: "row" }, name(item)),
      ...now.map((row) => make("td", {}, digits(row[place])))));
    box.replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
    return { change: change / largest, beyond: beyond / largest };
  }

  function statement(shift) {
    const gauge = state.gauge, parts = [];
    const small = (value) => (value < 1e-3 ? "less than 0.1 %" : percent(value));
    if (!data.two_tables) {
      parts.push(gauge.center === "items"
        ? "Centred items move every user's scores by one constant and keep the rankings, whatever the users are; the rest is a gauge."
        : "This is a gauge: users that move along keep every prediction, whatever they are.");
    } else if (gauge.shipped) parts.push("The vectors as shipped.");
    else if (gauge.center === "none" || data.by_center[gauge.center].fixed) parts.push("Every prediction stays: this is a gauge.");
    else if (gauge.center === "users") parts.push(data.by_center.users.kept
      ? "Every prediction stays: centring the users only chooses another gauge."
      : "Centring the users takes a direction away that only the mean user had, such as a bias of the items: predictions change by it.");
    else parts.push(data.by_center[gauge.center].kept
      ? "Each user's scores move by one constant, and every ranking stays: the items are centred."
      : "The items are centred, which moves each user's scores by one constant; centring the users also takes a direction away, so predictions change.");
    if (shift && !gauge.shipped) {
      parts.push(gauge.center === "items" || gauge.center === "both"
        ? `In the sample: scores move by up to ${small(shift.change)} of the largest, by ${small(shift.beyond)} beyond one constant a user.`
        : `In the sample: the largest change of a score is ${small(shift.change)} of the largest score.`);
    }
    if (gauge.norm_power > 0) parts.push("The norm power is a similarity and not a gauge: lists are ranked by the length of items too. Vectors scaled so would not keep the predictions.");
    return parts.join(" ");
  }

  function drawPopularity(before, now) {
    const box = $("popularity");
    if (!box || !popularity) return;
    const typical = (entries) => 10 ** (entries.reduce((sum, entry) => sum + Math.log10(1 + popularity[entry.index]), 0) / entries.length) - 1;
    const all = data.survey.points.find((point) => point.center === state.gauge.center && point.power === state.gauge.power
      && point.norm_power === state.gauge.norm_power);
    const rounded = (value) => (value < 10 ? value.toPrecision(2) : Math.round(value).toLocaleString("en"));
    const whole = state.gauge.shipped ? data.survey.shipped_popularity : all && all.popularity;
    box.textContent = `Typical popularity of the neighbours: ${rounded(typical(now))} interactions in this list, `
      + `${rounded(typical(before))} as shipped` + (whole == null ? "." : `; ${rounded(10 ** whole - 1)} over ${data.survey.n_lists} sampled lists in this gauge.`);
  }

  function draw() {
    const { item, gauge } = state;
    const before = list(item, reference), now = list(item, gauge);
    for (const node of document.querySelectorAll("[data-item-name]")) node.replaceChildren(name(item));
    drawList($("list-before"), before, now, "gone");
    drawList($("list-now"), now, before, "new");
    const kept = now.filter((entry) => before.some((other) => other.index === entry.index)).length;
    const fixed = data.by_center[gauge.center].fixed;
    const title = gauge.shipped ? "as shipped" : (fixed ? gauge.center : `α = ${alpha(gauge.power)}, ${label[gauge.center]}`)
      + (gauge.norm_power ? `, norm power ${gauge.norm_power}` : "");
    $("now-title").textContent = title;
    $("kept").textContent = `${kept} of ${now.length} neighbours are the same.`;
    const union = [...new Set([item, ...before.slice(0, 7).map((e) => e.index), ...now.slice(0, 7).map((e) => e.index)])];
    drawHeat(union);
    drawPopularity(before, now);
    drawCertainty(before);
    $("holds").textContent = statement(drawPredictions());
    $("alpha").value = String(data.powers.indexOf(gauge.power));
    $("alpha").disabled = Boolean(fixed);
    $("alpha-value").textContent = gauge.shipped && data.shipped ? "as shipped" : fixed ? "set by the gauge" : alpha(gauge.power);
    $("alpha").setAttribute("aria-valuetext", "alpha " + alpha(gauge.power));
    $("center").value = gauge.center;
    $("gamma").value = String(data.norm_powers.indexOf(gauge.norm_power));
    $("gamma-value").textContent = ["0, cosine", "½", "1, dot product"][data.norm_powers.indexOf(gauge.norm_power)];
    for (const button of document.querySelectorAll("[data-preset]"))
      button.setAttribute("aria-pressed", String(same(presetOf(button), gauge)));
    for (const button of document.querySelectorAll("[data-item]"))
      button.setAttribute("aria-pressed", String(Number(button.dataset.item) === item));
  }

  const same = (a, b) => Boolean(a.shipped) === Boolean(b.shipped) && a.center === b.center && a.power === b.power && a.norm_power === b.norm_power;
  const presetOf = (button) => (button.dataset.preset === "shipped" ? shippedGauge : { ...data.presets[Number(button.dataset.preset)], shipped: false });

  function choose(gauge) {
    state.gauge = { shipped: Boolean(gauge.shipped), center: gauge.center, power: gauge.power, norm_power: gauge.norm_power };
    draw();
  }

  // ---------------------------------------------------------------- search
  function search(text) {
    const wanted = text.trim().toLowerCase();
    if (!wanted) return [];
    const starts = [], within = [];
    for (let i = 0; i < data.n_asked && starts.length < 12; i++) {
      const at = data.names[i].toLowerCase().indexOf(wanted);
      if (at === 0) starts.push(i);
      else if (at > 0 && within.length < 12) within.push(i);
    }
    return [...starts, ...within].slice(0, 12);
  }

  function suggest() {
    const box = $("search"), results = $("results"), found = search(box.value);
    results.replaceChildren(...found.map((item) => {
      const button = make("button", { type: "button", role: "option" }, name(item));
      button.addEventListener("click", () => { take(item); });
      return make("li", {}, button);
    }));
    const missing = box.value.trim() && !found.length;
    $("missing").hidden = !missing;
    if (missing) $("missing-name").textContent = "'" + box.value.trim().replace(/'/g, "'\\''") + "'";
  }

  function take(item) {
    state.item = item;
    $("search").value = "";
    suggest();
    draw();
  }

  function controls() {
    $("alpha").max = String(data.powers.length - 1);
    $("gamma").max = String(data.norm_powers.length - 1);
    $("center").replaceChildren(...centers.map((center) => make("option", { value: center }, label[center] || center)));
    const change = () => choose({ center: $("center").value,
      power: data.by_center[$("center").value].fixed ? 1 : data.powers[Number($("alpha").value)],
      norm_power: data.norm_powers[Number($("gamma").value)] });
    for (const id of ["alpha", "center", "gamma"]) $(id).addEventListener("input", change);
    for (const button of document.querySelectorAll("[data-preset]")) button.addEventListener("click", () => choose(presetOf(button)));
    for (const button of document.querySelectorAll("[data-item]"))
      button.addEventListener("click", () => take(Number(button.dataset.item)));
    $("search").addEventListener("input", suggest);
    $("search").addEventListener("keydown", (event) => {
      if (event.key === "Enter") { const found = search(event.target.value); if (found.length) take(found[0]); event.preventDefault(); }
      if (event.key === "ArrowDown") { const first = document.querySelector("#results button"); if (first) first.focus(); event.preventDefault(); }
    });
    $("results").addEventListener("keydown", (event) => {
      const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
      if (!step) return;
      const next = event.target.closest("li")[step];
      (next ? next.querySelector("button") : $("search")).focus();
      event.preventDefault();
    });
  }

  $("explorer").hidden = false;
  controls();
  draw();
  document.documentElement.dataset.ready = "true";
  performance.mark("simgauge-ready");
})();
