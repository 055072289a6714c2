"use strict";
(async () => {
  const BATCH = 24;
  const $ = (id) => document.getElementById(id);

  /* ---- The gallery's data: a list of all cards, and the cards in parts, each read when it is needed. ----
     A page may not fetch files beside it, but it may load scripts: each file calls `unigauge` with its data. */
  let given;
  window.unigauge = (value) => { given = value; };
  function read(id, file) {
    if ($(id)) return Promise.resolve(JSON.parse($(id).textContent));
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.onload = () => { script.remove(); resolve(given); };
      script.onerror = () => { script.remove(); reject(new Error(file)); };
      script.src = file;
      document.head.append(script);
    });
  }
  const svgNames = "http://www.w3.org/2000/svg";

  function el(name, props = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(props)) {
      if (value === undefined || value === null || value === false) continue;
      if (key === "class") node.className = value;
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  }

  const listFile = $("gallery").dataset.list;
  const found = await read("list", listFile).catch(() => null);
  const list = found || { runs: [], suites: [], tags: [], marks: false, chunks: [], items: [] };
  const data = { runs: list.runs, items: list.items.map(listed) };

  /* What the list knows of an item; its card brings the rest. */
  function listed([suite, values, inputCount, outputs]) {
    const tags = {};
    values.forEach((value, at) => { if (value >= 0) tags[list.tags[at].name] = list.tags[at].values[value]; });
    return {
      suite: list.suites[suite], tags, inputCount, whole: false,
      outputs: outputs.map(([run, status, score, pictured]) => ({ run, status, score, pictured: Boolean(pictured) })),
    };
  }

  const parts = [];
  let placed = 0;
  for (const { items, file } of list.chunks) {
    const part = { id: `cards-${parts.length}`, file, from: placed, reading: null };
    for (; placed < part.from + items; placed += 1) data.items[placed].part = part;
    parts.push(part);
  }

  function readPart(part) {
    part.reading ||= read(part.id, part.file).then((cards) => {
      cards.forEach((card, at) => {
        const item = data.items[part.from + at];
        card.outputs.forEach((output, place) => { output.pictured = item.outputs[place].pictured; });
        Object.assign(item, card, { whole: true });
      });
    }).catch((error) => { part.reading = null; throw error; });
    return part.reading;
  }

  /* Resolves when the cards of these items are there. */
  function readCards(items) {
    const missing = new Set(items.filter((item) => !item.whole).map((item) => item.part));
    return Promise.all([...missing].map(readPart));
  }

  /* The address's fragment is the page's state: #sort=overall:desc&status=failed&tag=length:short&model=…&q=… */
  function readState() {
    const state = { sort: "", status: "", suite: "", model: "", q: "", order: "", theme: "", tags: {}, anyTag: [] };
    const fragment = location.hash.slice(1);
    if (!fragment.includes("=")) return state;
    for (const [key, value] of new URLSearchParams(fragment)) {
      if (key === "tag") {
        const colon = value.indexOf(":");
        const name = value.slice(0, colon);
        if (colon > 0 && tagKeys.has(name)) state.tags[name] = value.slice(colon + 1);
        else state.anyTag.push(value);
      } else if (typeof state[key] === "string") state[key] = value;
    }
    // A bare value, as in tag=sign, belongs to the first tag that has it.
    state.anyTag = state.anyTag.filter((value) => {
      for (const [name, values] of tagKeys) {
        if (values.has(value)) { state.tags[name] = value; return false; }
      }
      return true;
    });
    return state;
  }

  function writeState() {
    const params = new URLSearchParams();
    for (const key of ["sort", "suite", "model", "status", "order", "q", "theme"]) if (state[key]) params.append(key, state[key]);
    for (const [name, value] of Object.entries(state.tags)) if (value) params.append("tag", `${name}:${value}`);
    const text = params.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }

  /* ---- Tables: a click on a head sorts; numbers by value, empty cells last. ---- */
  function sortTable(table, key, direction) {
    const heads = [...table.tHead.rows[0].cells];
    const column = heads.findIndex((head) => head.dataset.key === key);
    if (column < 0) return;
    heads.forEach((head, index) => {
      if (index === column) head.setAttribute("aria-sort", direction === "asc" ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    const body = table.tBodies[0];
    const value = (row) => row.cells[column].dataset.value;
    const numeric = column > 0;
    const sign = direction === "asc" ? 1 : -1;
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      return sign * (numeric ? Number(x) - Number(y) : x.localeCompare(y, undefined, { numeric: true }));
    });
    body.append(...rows);
  }

  function makeSortable(table) {
    for (const head of table.tHead.rows[0].cells) {
      const button = el("button", { type: "button", class: "sort" }, ...head.childNodes);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const first = head.dataset.key === "model" ? "asc" : "desc";
        const now = head.getAttribute("aria-sort");
        const direction = !now ? first : now === "ascending" ? "desc" : "asc";
        state.sort = `${head.dataset.key}:${direction}`;
        sortTable(table, head.dataset.key, direction);
        writeState();
      });
    }
  }

  function applySort() {
    const at = state.sort.lastIndexOf(":");
    if (at < 0) return;
    document.querySelectorAll("table.results").forEach((table) => {
      sortTable(table, state.sort.slice(0, at), state.sort.slice(at + 1));
    });
  }

  /* ---- Theme ---- */
  const themes = ["", "light", "dark"];
  function applyTheme() {
    if (state.theme) document.documentElement.dataset.theme = state.theme;
    else delete document.documentElement.dataset.theme;
    const name = state.theme || "auto";
    $("theme").querySelector("span").textContent = name;
    $("theme").setAttribute("aria-label", `Colours: ${name === "auto" ? "as the system" : name}`);
  }

  /* ---- Filters ---- */
  const tagKeys = new Map();
  for (const item of data.items) {
    for (const [key, value] of Object.entries(item.tags)) {
      if (!tagKeys.has(key)) tagKeys.set(key, new Map());
      const counts = tagKeys.get(key);
      counts.set(value, (counts.get(value) || 0) + 1);
    }
  }
  const { suites } = list;
  let state = readState();
  let evidenceShown = true;
  let maskShown = false;
  let visible = [];
  let drawn = 0;

  function searchText(item) {
    if (item.search === undefined) {
      const outputs = item.outputs.map((output) => `${output.reason || ""} ${output.seen || ""} ${output.text || ""} ${(output.judge || []).map((call) => call.reply).join(" ")}`);
      item.search = [item.id, item.prompt, item.expected || "", ...Object.values(item.tags), ...outputs].join("\n").toLowerCase();
    }
    return item.search;
  }

  const statusTests = {
    failed: (output) => output.status === "failed",
    passed: (output) => output.status === "passed",
    unscored: (output) => output.status === "unscored",
    error: (output) => output.status === "error",
  };

  function outputsOf(item) {
    return item.outputs.filter((output) => !state.model || data.runs[output.run].label === state.model);
  }

  function matches(item) {
    if (state.suite && item.suite !== state.suite) return false;
    for (const [name, value] of Object.entries(state.tags)) if (value && item.tags[name] !== value) return false;
    if (state.anyTag.length && !state.anyTag.every((value) => Object.values(item.tags).includes(value))) return false;
    const outputs = outputsOf(item);
    if (!outputs.length && (state.model || state.status)) return false;
    if (state.status && !outputs.some(statusTests[state.status] || (() => true))) return false;
    return !state.q || state.q.toLowerCase().split(/\s+/).every((word) => searchText(item).includes(word));
  }

  function meanShare(item) {
    const scores = outputsOf(item).filter((o) => typeof o.score === "number").map((o) => o.score / data.runs[o.run].full);
    return scores.length ? scores.reduce((a, b) => a + b, 0) / scores.length : -1;
  }

  // Each change of the filters is a turn. What an earlier turn waited for is dropped.
  let turn = 0;
  let drawing = 0;

  async function applyFilters() {
    turn += 1;
    const mine = turn;
    const searched = state.q !== "" || state.anyTag.length > 0;
    if (searched && data.items.some((item) => !item.whole)) {
      $("count").textContent = "Reading all cards …";
      try { await readCards(data.items); } catch (error) { return tellUnread(error); }
      if (mine !== turn) return undefined;
      // Cards of the earlier filters that were drawn meanwhile are dropped, too.
      turn += 1;
    }
    visible = data.items.filter(matches);
    if (state.order) {
      const sign = state.order === "highest" ? -1 : 1;
      const keyed = visible.map((item, index) => [meanShare(item), index, item]);
      visible = keyed.sort((a, b) => sign * (a[0] - b[0]) || a[1] - b[1]).map((entry) => entry[2]);
    }
    const outputs = visible.reduce((sum, item) => sum + outputsOf(item).length, 0);
    const all = data.items.reduce((sum, item) => sum + item.outputs.length, 0);
    const number = (value) => value.toLocaleString("en");
    $("count").textContent = `${number(visible.length)} of ${number(data.items.length)} items, ${number(outputs)} of ${number(all)} outputs`;
    const widest = Math.min(visible.reduce((most, item) => Math.max(most, outputsOf(item).length + item.inputCount), 1), 5);
    $("cards").style.setProperty("--card", ["270px", "400px", "560px"][widest - 1] || "100%");
    $("cards").replaceChildren();
    drawn = 0;
    if (!visible.length) $("cards").append(el("p", { class: "none" }, "No item matches these filters."));
    return drawMore();
  }

  async function drawMore() {
    // The next cards are on their way.
    if (drawing === turn) return;
    const mine = turn;
    drawing = mine;
    const next = visible.slice(drawn, drawn + BATCH);
    try { await readCards(next); } catch (error) { if (mine === turn) { drawing = 0; tellUnread(error); } return; }
    if (mine !== turn) return;
    drawing = 0;
    drawn += next.length;
    $("cards").append(...next.map(card));
    $("more").hidden = drawn >= visible.length;
    $("more").textContent = `Show more (${(visible.length - drawn).toLocaleString("en")} left)`;
    // Observed afresh after each batch: an end that stays in view would otherwise not be reported again.
    end.unobserve($("more"));
    end.observe($("more"));
  }

  function tellUnread(error) {
    $("more").hidden = false;
    $("more").textContent = "Try again";
    $("count").textContent = `The file ${error.message} cannot be read. It belongs beside this page; if the report was written again, reload the page.`;
  }

  function select(label, name, options, current, change) {
    const control = el("select", { name }, ...options.map(([value, text]) => {
      const option = el("option", { value }, text);
      option.selected = value === current;
      return option;
    }));
    control.addEventListener("change", () => { change(control.value); writeState(); applyFilters(); });
    return el("label", {}, label, control);
  }

  function buildFilters() {
    const form = $("filters");
    form.replaceChildren();
    form.onsubmit = (event) => event.preventDefault();
    const runs = [...new Set(data.runs.map((run) => run.label))];
    if (suites.length > 1) form.append(select("suite", "suite", [["", "all"], ...suites.map((s) => [s, s])], state.suite, (v) => { state.suite = v; }));
    if (runs.length > 1) form.append(select("model", "model", [["", "all"], ...runs.map((r) => [r, r])], state.model, (v) => { state.model = v; }));
    form.append(select("status", "status", [["", "all"], ["failed", "failed"], ["passed", "passed"], ["unscored", "unscored"], ["error", "errors"]], state.status, (v) => { state.status = v; }));
    for (const [name, values] of tagKeys) {
      if (values.size < 2) continue;
      const options = [...values].map(([value, count]) => [value, `${value} (${count})`]);
      form.append(select(name, `tag-${name}`, [["", "all"], ...options], state.tags[name] || "", (v) => { state.tags[name] = v; }));
    }
    form.append(select("order", "order", [["", "as asked"], ["lowest", "lowest score first"], ["highest", "highest score first"]], state.order, (v) => { state.order = v; }));
    const search = el("input", { type: "search", name: "q", value: state.q, placeholder: "prompt, text, reason, id", autocomplete: "off" });
    let timer = 0;
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => { state.q = search.value.trim(); writeState(); applyFilters(); }, 150);
    });
    form.append(el("label", { class: "grow" }, "search", search));
    if (list.marks) {
      const box = el("input", { type: "checkbox", name: "evidence" });
      box.checked = evidenceShown;
      box.addEventListener("change", () => { evidenceShown = box.checked; document.body.classList.toggle("plain", !evidenceShown); });
      form.append(el("label", { class: "check" }, box, "evidence"));
    }
    form.append(el("button", { type: "button", onclick: reset }, "Reset"));
  }

  function reset() {
    state = { ...state, status: "", suite: "", model: "", q: "", order: "", tags: {}, anyTag: [] };
    writeState(); buildFilters(); applyFilters();
  }

  /* ---- Cards ---- */
  const markColors = ["#0072B2", "#D55E00", "#009E73", "#AA3377", "#56B4E9", "#E69F00"];

  function overlay(output, labelled) {
    const picture = output.picture;
    if (!output.marks || !picture || !picture.w) return null;
    const svg = document.createElementNS(svgNames, "svg");
    svg.setAttribute("viewBox", `0 0 ${picture.w} ${picture.h}`);
    svg.setAttribute("class", "overlay");
    svg.setAttribute("aria-hidden", "true");
    const size = Math.max(picture.w, picture.h) / (labelled === "large" ? 46 : 24);
    const detections = output.seen === undefined;
    const classes = [...new Set(output.marks.map((mark) => mark.label))];
    const labels = [];
    for (const mark of output.marks) {
      const polygon = document.createElementNS(svgNames, "polygon");
      const points = mark.points.join(" ");
      const color = markColors[(detections ? classes.indexOf(mark.label) : 0) % markColors.length];
      polygon.setAttribute("points", points);
      const halo = polygon.cloneNode();
      halo.setAttribute("class", "halo");
      polygon.setAttribute("stroke", color);
      svg.append(halo, polygon);
      if (!detections && labelled !== "large") continue;
      const xs = mark.points.filter((_, index) => index % 2 === 0);
      const ys = mark.points.filter((_, index) => index % 2 === 1);
      const text = document.createElementNS(svgNames, "text");
      const left = Math.max(0, Math.min(...xs));
      const top = Math.min(...ys);
      const above = top > size * 1.3;
      text.setAttribute("x", left + (above ? 0 : size * 0.3));
      text.setAttribute("y", above ? top - size * 0.3 : top + size);
      text.setAttribute("font-size", size);
      text.setAttribute("stroke-width", size / 3);
      text.textContent = `${mark.label} ${mark.score.toFixed(2)}`;
      labels.push(text);
    }
    svg.append(...labels);
    return svg;
  }

  function scoreText(output) {
    if (output.status === "error") return "error";
    if (typeof output.score !== "number") return "unscored";
    const full = data.runs[output.run].full;
    const number = String(Math.round(output.score * 1000) / 1000);
    return full === 1 ? number : `${number} / ${full}`;
  }

  /* Words of `expected` that `seen` lacks, counted, are underlined. */
  const unit = /\p{Script=Han}|[\p{L}\p{N}\p{M}]+/gu;
  function expectedNode(expected, seen) {
    const node = el("dd", { dir: "auto" });
    if (seen === undefined) { node.append(expected); return node; }
    const counts = new Map();
    for (const [word] of seen.toLowerCase().matchAll(unit)) counts.set(word, (counts.get(word) || 0) + 1);
    let last = 0;
    for (const match of expected.matchAll(unit)) {
      const word = match[0].toLowerCase();
      const left = counts.get(word) || 0;
      if (left) { counts.set(word, left - 1); continue; }
      node.append(expected.slice(last, match.index), el("mark", { title: "not read" }, match[0]));
      last = match.index + match[0].length;
    }
    node.append(expected.slice(last));
    return node;
  }

  function texts(item, output) {
    if (output.seen === undefined && !item.expected) return null;
    const list = el("dl", { class: "texts" });
    if (item.expected) list.append(el("dt", {}, "expected"), expectedNode(item.expected, output.seen));
    if (output.seen !== undefined) list.append(el("dt", {}, "seen"), el("dd", { dir: "auto" }, output.seen || "nothing"));
    return list;
  }

  /* ---- Edits: the input over the output up to a slider, the change mask, the judge's words. ---- */
  function inputOf(item) {
    const input = (item.inputs || [])[0];
    return input && input.thumb ? input : null;
  }

  function before(item, source) {
    return el("img", { class: "before", src: source, alt: "", "aria-hidden": "true" });
  }

  function slider(item, output, box) {
    const who = data.runs[output.run].label;
    const range = el("input", { type: "range", min: 0, max: 100, value: 0, "aria-label": `How much of the input covers the output of ${who} for ${item.id}, in percent` });
    const move = () => box.style.setProperty("--cut", `${range.value}%`);
    range.addEventListener("input", move);
    return el("div", { class: "slider" }, el("span", { "aria-hidden": "true" }, "output"), range, el("span", { "aria-hidden": "true" }, "input"));
  }

  function maskImage(mask) {
    const picture = el("img", { class: "cells", src: mask.src, alt: "" });
    picture.style.setProperty("--w", `${100 * mask.w}%`);
    picture.style.setProperty("--h", `${100 * mask.h}%`);
    return picture;
  }

  function maskFigure(item, output) {
    const input = inputOf(item);
    if (!output.mask || !input) return null;
    const share = `change mask, ${(100 * output.mask.changed).toFixed(1)} % of the pixels`;
    const frame = el("div", { class: "frame mask", role: "img", "aria-label": share }, image(input, ""), maskImage(output.mask));
    return el("div", { class: "change" }, frame, el("p", { class: "why" }, share));
  }

  function judged(output, large) {
    if (!output.judge) return null;
    const list = el("dl", { class: large ? "judge large" : "judge" });
    for (const call of output.judge) {
      list.append(el("dt", {}, ["judge", call.model, call.role].filter(Boolean).join(" · ")), el("dd", { dir: "auto", tabindex: "0" }, call.reply));
    }
    return list;
  }

  function caption(item, output, entry) {
    const run = data.runs[output.run];
    const several = item.outputs.filter((other) => other.run === output.run).length > 1;
    return [
      el("div", { class: "who" },
        el("span", {}, run.label + (several ? ` #${output.repeat + 1}` : "")),
        el("span", { class: "grade" }, scoreText(output))),
      output.reason ? el("p", { class: "why", dir: "auto" }, output.reason) : null,
      entry ? texts(item, output) : null,
    ];
  }

  function image(picture, alt) {
    return el("img", { src: picture.thumb, alt, loading: "lazy", decoding: "async", width: picture.w || null, height: picture.h || null });
  }

  function outputFigure(item, output) {
    const figure = el("figure", { class: `output ${output.status}`, "data-status": output.status });
    const picture = output.picture;
    if (picture && picture.thumb) {
      const label = `Output of ${data.runs[output.run].label} for ${item.id}: ${scoreText(output)}; open large`;
      const frame = el("button", { type: "button", class: "frame", "aria-label": label, onclick: () => view(item, output) },
        image(picture, ""), overlay(output, "small"));
      figure.append(frame);
      const input = inputOf(item);
      if (input) {
        frame.append(before(item, input.thumb));
        figure.append(slider(item, output, frame));
      }
    } else if (output.text !== undefined) {
      figure.append(el("div", { class: "answer", dir: "auto", tabindex: "0" }, output.text));
    } else {
      figure.append(el("div", { class: "blank" }, (picture && picture.problem) || "no output"));
    }
    figure.append(...caption(item, output, true).filter(Boolean));
    figure.append(...[maskFigure(item, output), judged(output, false)].filter(Boolean));
    return figure;
  }

  function card(item) {
    const tags = Object.entries(item.tags).map(([key, value]) => el("span", { title: key }, value));
    const suite = suites.length > 1 ? el("span", {}, item.suite) : null;
    const long = item.prompt.length > 420 || item.prompt.split("\n").length > 6;
    const prompt = el("p", { class: long ? "prompt long" : "prompt", dir: "auto" }, item.prompt);
    const outputs = outputsOf(item);
    const row = el("div", { class: outputs.length + (item.inputs || []).length === 1 ? "row single" : "row" });
    for (const input of item.inputs || []) {
      const shown = input.thumb ? el("div", { class: "frame" }, image(input, "Input picture")) : el("div", { class: "blank" }, input.problem || "no picture");
      row.append(el("figure", { class: "output" }, shown, el("div", { class: "who" }, el("span", {}, "input"))));
    }
    row.append(...outputs.map((output) => outputFigure(item, output)));
    if (!outputs.length) row.append(el("div", { class: "blank" }, "no output"));
    const article = el("article", { class: "card", "data-item": item.id }, el("header", {}, ...[el("b", {}, item.id), suite, ...tags].filter(Boolean)), prompt);
    if (long) {
      const unfold = el("button", { type: "button", class: "unfold", "aria-expanded": "false" }, "whole prompt");
      unfold.addEventListener("click", () => {
        const open = prompt.classList.toggle("open");
        unfold.setAttribute("aria-expanded", String(open));
        unfold.textContent = open ? "fold" : "whole prompt";
      });
      article.append(unfold);
    }
    article.append(row);
    return article;
  }

  /* ---- The large view: arrows go through what the filters left. ---- */
  function view(item, output) {
    const all = [];
    for (const one of visible) outputsOf(one).forEach((other, at) => { if (other.pictured) all.push([one, at]); });
    let place = all.findIndex(([one, at]) => one === item && outputsOf(one)[at] === output);
    const dialog = $("viewer");
    const step = (by) => { place = (place + by + all.length) % all.length; show(); };
    const show = async () => {
      const wanted = place;
      const [now, at] = all[place];
      try { await readCards([now]); } catch (error) { dialog.close(); tellUnread(error); return; }
      if (wanted !== place) return;
      const shown = outputsOf(now)[at];
      const picture = shown.picture;
      const large = el("img", { src: picture.link || picture.thumb, alt: now.prompt, width: picture.w || null, height: picture.h || null });
      // The original may have stayed behind when the page was sent on.
      large.addEventListener("error", () => { if (large.src !== picture.thumb) large.src = picture.thumb; }, { once: true });
      const stage = el("div", {}, large, overlay(shown, "large"));
      if (picture.w && picture.h) stage.style.setProperty("--ratio", picture.w / picture.h);
      const input = inputOf(now);
      const tools = input ? el("div", { class: "tools" }, slider(now, shown, stage)) : null;
      if (input) {
        const under = before(now, input.link || input.thumb);
        under.addEventListener("error", () => { if (under.src !== input.thumb) under.src = input.thumb; }, { once: true });
        stage.append(under);
        if (shown.mask) {
          const cells = maskImage(shown.mask);
          cells.hidden = !maskShown;
          const box = el("input", { type: "checkbox" });
          box.checked = maskShown;
          box.addEventListener("change", () => { maskShown = box.checked; cells.hidden = !maskShown; });
          stage.append(cells);
          tools.append(el("label", { class: "check" }, box, `change mask, ${(100 * shown.mask.changed).toFixed(1)} % of the pixels`));
        }
      }
      const bar = el("div", { class: "bar" },
        el("button", { type: "button", onclick: () => step(-1), "aria-label": "Previous" }, "←"),
        el("button", { type: "button", onclick: () => step(1), "aria-label": "Next" }, "→"),
        el("button", { type: "button", onclick: () => dialog.close() }, "Close"));
      const side = el("div", { class: `side ${shown.status}` }, bar,
        el("header", {}, el("b", {}, now.id), ` ${Object.values(now.tags).join(" · ")}`),
        el("p", { class: "prompt", dir: "auto" }, now.prompt),
        tools,
        ...caption(now, shown, true).filter(Boolean),
        judged(shown, true),
        picture.link ? el("p", {}, el("a", { href: picture.link }, "original")) : null);
      dialog.replaceChildren(el("div", { class: "viewer" }, el("div", { class: "stage" }, stage), side));
    };
    dialog.onkeydown = (event) => {
      // The arrows of the slider are its own.
      if (event.target.type === "range") return;
      if (event.key === "ArrowLeft") step(-1);
      if (event.key === "ArrowRight") step(1);
    };
    dialog.onclick = (event) => { if (event.target === dialog) dialog.close(); };
    show();
    dialog.showModal();
  }

  /* ---- Start ---- */
  document.querySelectorAll("table.results").forEach(makeSortable);
  $("theme").addEventListener("click", () => {
    state.theme = themes[(themes.indexOf(state.theme) + 1) % themes.length];
    writeState(); applyTheme();
  });
  $("more").addEventListener("click", async () => {
    const first = drawn;
    await drawMore();
    const next = $("cards").children[first];
    const target = next && next.querySelector("button, a, [tabindex]");
    if (target) target.focus();
  });
  const end = new IntersectionObserver((entries) => {
    if (entries.some((entry) => entry.isIntersecting) && drawn < visible.length) drawMore();
  }, { rootMargin: "900px" });
  end.observe($("more"));
  const start = () => { applyTheme(); applySort(); buildFilters(); applyFilters(); };
  window.addEventListener("hashchange", () => { if (location.hash.includes("=") || location.hash === "") { state = readState(); start(); } });
  start();
  if (!found) {
    $("count").textContent = `The file ${listFile} cannot be read, so there is no gallery. It belongs beside this page.`;
    $("filters").replaceChildren();
    $("cards").replaceChildren();
  }
})();
