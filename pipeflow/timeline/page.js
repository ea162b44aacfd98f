"use strict";
(() => {
  // Everything that strangers wrote goes into text nodes, through `el` and `mark`.
  const data = JSON.parse(document.getElementById("updates").textContent);
  const TIME = 0, FAMILY = 1, WHO = 2, WHAT = 3, ABOUT = 4, TEXT = 5, PLANNED = 6;
  const families = data.families.map(([id, label]) => ({ id, label }));
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const BLOCK = 60, LONG = 320;

  const el = (tag, name, ...children) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    node.append(...children);
    return node;
  };
  const icon = (id) => {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(SVG, "use");
    use.setAttribute("href", `#s-${id}`);
    svg.append(use);
    return svg;
  };

  // Times, in the reader's zone
  const format = (options) => new Intl.DateTimeFormat("en-GB", options);
  const clock = format({ hour: "2-digit", minute: "2-digit" });
  const weekday = format({ weekday: "long" });
  const shortWeekday = format({ weekday: "short" });
  const monthYear = format({ month: "long", year: "numeric" });
  const shortDay = format({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const fullDay = format({ day: "numeric", month: "long", year: "numeric" });
  const pad = (number) => String(number).padStart(2, "0");
  const dateOf = (seconds) => new Date(seconds * 1000);
  const dayKey = (seconds) => {
    if (seconds === null) return "";
    const date = dateOf(seconds);
    return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  };
  const utc = (seconds) => dateOf(seconds).toISOString().slice(0, 19).replace("T", " ") + " UTC";
  const timeNode = (seconds, text) => {
    const node = el("time", "", text);
    node.dateTime = dateOf(seconds).toISOString();
    node.title = utc(seconds);
    return node;
  };
  const now = Date.now() / 1000;
  const today = dayKey(now), yesterday = dayKey(now - 86400);

  const order = data.rows.map((_, index) => index);
  const late = (row) => (row[TIME] === null ? -Infinity : row[TIME]);
  order.sort((a, b) => late(data.rows[b]) - late(data.rows[a]) || a - b);

  // The state, which stands in the address
  const state = { kinds: new Set(), user: "", text: "" };
  const readAddress = () => {
    const said = new URLSearchParams(location.hash.slice(1));
    const known = new Set(families.map((family) => family.id));
    state.kinds = new Set((said.get("kind") || "").split(",").filter((id) => known.has(id)));
    state.user = said.get("user") || "";
    state.text = said.get("text") || "";
    return said.get("day");
  };
  const writeAddress = (day) => {
    const said = new URLSearchParams();
    if (state.kinds.size) said.set("kind", [...state.kinds].join(","));
    if (state.user) said.set("user", state.user);
    if (state.text) said.set("text", state.text);
    if (day) said.set("day", day);
    const hash = String(said).replaceAll("%2C", ",");
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  };
  const searched = [];
  const textOf = (index) => {
    if (searched[index] === undefined) {
      const row = data.rows[index];
      searched[index] = `${data.who[row[WHO]]} ${row[WHAT]} ${data.about[row[ABOUT]]} ${row[TEXT]}`.toLowerCase();
    }
    return searched[index];
  };
  const matching = (withKinds) => {
    const user = state.user ? data.who.indexOf(state.user) : null;
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    return order.filter((index) => {
      const row = data.rows[index];
      if (withKinds && state.kinds.size && !state.kinds.has(families[row[FAMILY]].id)) return false;
      if (user !== null && row[WHO] !== user) return false;
      return !words.length || words.every((word) => textOf(index).includes(word));
    });
  };

  // An entry
  const mark = (node, text) => {
    const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length || text.toLowerCase().length !== text.length) return void node.append(text);
    const lower = text.toLowerCase();
    let from = 0;
    while (from < text.length) {
      let at = -1, length = 0;
      for (const word of words) {
        const found = lower.indexOf(word, from);
        if (found >= 0 && (at < 0 || found < at)) [at, length] = [found, word.length];
      }
      if (at < 0) break;
      node.append(text.slice(from, at), el("mark", "", text.slice(at, at + length)));
      from = at + length;
    }
    node.append(text.slice(from));
  };
  const isLong = (text) => text.length > LONG || text.split("\n").length > 5;
  let folded = 0;
  const entryNode = (index) => {
    const row = data.rows[index];
    const family = families[row[FAMILY]];
    const item = el("li", `entry f-${family.id}`, icon(row[PLANNED] ? "planned" : family.id));
    const line = el("p", "", el("span", "vh", `${family.label}: `));
    const who = data.who[row[WHO]];
    if (who) { const bold = el("b"); mark(bold, who); line.append(bold, " "); }
    mark(line, row[WHAT]);
    if (data.about[row[ABOUT]]) {
      const tag = el("span", "tag");
      mark(tag, data.about[row[ABOUT]]);
      line.append(tag);
    }
    item.append(line);
    if (row[TIME] !== null) {
      const over = row[PLANNED] && row[TIME] < now;
      const when = row[PLANNED] ? `${shortDay.format(dateOf(row[TIME]))}, ${clock.format(dateOf(row[TIME]))}` : clock.format(dateOf(row[TIME]));
      const time = timeNode(row[TIME], when);
      if (over) time.prepend(el("span", "over", "overdue"), " ");
      item.append(time);
    }
    if (row[TEXT]) {
      const said = el("div", "said");
      mark(said, row[TEXT]);
      item.append(said);
      if (isLong(row[TEXT])) {
        said.classList.add("cut");
        said.id = `said-${folded++}`;
        const more = el("button", "link", "Show all");
        more.type = "button";
        more.setAttribute("aria-controls", said.id);
        more.setAttribute("aria-expanded", "false");
        more.addEventListener("click", () => {
          const cut = said.classList.toggle("cut");
          more.setAttribute("aria-expanded", String(!cut));
          more.textContent = cut ? "Show all" : "Show less";
        });
        item.append(more);
      }
    }
    return item;
  };

  // The history, in blocks of whole days that are filled when they come near
  const main = $("history");
  let blocks = [], watcher = null, redraws = 0;
  const heading = (key, seconds) => {
    const node = el("h2");
    node.tabIndex = -1;
    if (!key) { node.className = "word"; node.append(el("strong", "", "No date")); return node; }
    const date = dateOf(seconds);
    const word = key === today ? "Today" : key === yesterday ? "Yesterday" : "";
    if (word) node.className = "word";
    node.append(
      el("strong", "", word || String(date.getDate())),
      word ? `${weekday.format(date)}, ${fullDay.format(date)}` : `${shortWeekday.format(date)}, ${monthYear.format(date)}`,
    );
    return node;
  };
  const fill = (block) => {
    if (block.filled) return;
    block.filled = true;
    watcher.unobserve(block.node);
    let key = null, list = null;
    for (const index of block.rows) {
      const row = data.rows[index];
      const its = dayKey(row[TIME]);
      if (its !== key) {
        key = its;
        list = el("ol", "list");
        const day = el("section", "day", heading(key, row[TIME]), list);
        day.dataset.day = key;
        block.node.append(day);
      }
      list.append(entryNode(index));
    }
    block.node.style.minHeight = "";
  };
  const plannedNode = (rows) => {
    rows.sort((a, b) => late(data.rows[a]) - late(data.rows[b]) || a - b);
    const count = el("span", "", ` ${rows.length.toLocaleString("en")}`);
    const list = el("ol", "list");
    const shown = 5;
    rows.slice(0, shown).forEach((index) => list.append(entryNode(index)));
    const section = el("section", "planned", el("h2", "", "Planned", count), list);
    section.tabIndex = -1;
    if (rows.length > shown) {
      const more = el("button", "link", `Show ${(rows.length - shown).toLocaleString("en")} more`);
      more.type = "button";
      more.addEventListener("click", () => {
        rows.slice(shown).forEach((index) => list.append(entryNode(index)));
        more.remove();
        list.children[shown].querySelector("p").tabIndex = -1;
        list.children[shown].querySelector("p").focus();
      });
      section.append(more);
    }
    return section;
  };
  const draw = () => {
    const mine = ++redraws;
    if (watcher) watcher.disconnect();
    watcher = new IntersectionObserver((seen) => {
      for (const one of seen) if (one.isIntersecting && mine === redraws) fill(blocks[one.target.dataset.block]);
    }, { rootMargin: "1200px 0px" });
    const rows = matching(true);
    const planned = rows.filter((index) => data.rows[index][PLANNED]);
    const past = rows.filter((index) => !data.rows[index][PLANNED]);
    blocks = [];
    const nodes = planned.length ? [plannedNode(planned)] : [];
    let block = null, key = null;
    for (const index of past) {
      const its = dayKey(data.rows[index][TIME]);
      if (!block || (block.rows.length >= BLOCK && its !== key) || block.rows.length >= 4 * BLOCK) {
        block = { rows: [], days: 0, node: el("div", "block"), filled: false };
        block.node.dataset.block = blocks.length;
        blocks.push(block);
        nodes.push(block.node);
      }
      if (its !== key) { block.days += 1; key = its; }
      block.rows.push(index);
    }
    for (const one of blocks) {
      const height = one.rows.length * 42 + one.days * 30;
      one.node.style.minHeight = `${height}px`;
      one.node.style.containIntrinsicSize = `auto ${height}px`;
    }
    main.replaceChildren(...nodes);
    blocks.slice(0, 2).forEach(fill);
    blocks.slice(2).forEach((one) => watcher.observe(one.node));
    $("none").hidden = rows.length > 0 || data.rows.length === 0;
    $("count").textContent = `${rows.length.toLocaleString("en")} of ${data.rows.length.toLocaleString("en")} updates shown`;
    drawOverview(rows);
    drawChips();
    $("clear").hidden = !(state.kinds.size || state.user || state.text);
  };

  // Going to a time: to the newest entry that is not after it
  const goTo = (seconds, day) => {
    const block = blocks.find((one) => late(data.rows[one.rows.at(-1)]) <= seconds) || blocks.at(-1);
    if (!block) return;
    fill(block);
    const key = dayKey(seconds);
    const days = [...block.node.children];
    const target = days.find((one) => one.dataset.day && one.dataset.day <= key) || days.at(-1);
    target.scrollIntoView({ block: "start" });
    target.querySelector("h2").focus({ preventScroll: true });
    requestAnimationFrame(() => { target.scrollIntoView({ block: "start" }); showPlace(); });
    writeAddress(day === undefined ? target.dataset.day : day);
  };

  // The overview
  const overview = $("overview");
  let bars = [];
  const times = data.rows.map((row) => row[TIME]).filter((time) => time !== null);
  let first = Infinity, last = -Infinity;
  for (const time of times) { first = Math.min(first, time); last = Math.max(last, time); }
  const span = (last - first) / 86400;
  const unit = span <= 62 ? "day" : span <= 420 ? "week" : span <= 3700 ? "month" : "year";
  const startOf = (seconds) => {
    const date = dateOf(seconds);
    if (unit === "year") return new Date(date.getFullYear(), 0, 1);
    if (unit === "month") return new Date(date.getFullYear(), date.getMonth(), 1);
    const day = new Date(date.getFullYear(), date.getMonth(), date.getDate());
    if (unit === "week") day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
    return day;
  };
  const nextOf = (date) => {
    const next = new Date(date);
    if (unit === "year") next.setFullYear(next.getFullYear() + 1);
    else if (unit === "month") next.setMonth(next.getMonth() + 1);
    else next.setDate(next.getDate() + (unit === "week" ? 7 : 1));
    return next;
  };
  const starts = [];
  if (times.length) for (let date = startOf(first); date.getTime() / 1000 <= last && starts.length < 400; date = nextOf(date)) starts.push(date);
  const bucketOf = (seconds) => {
    let low = 0, high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle].getTime() / 1000 <= seconds) low = middle; else high = middle - 1;
    }
    return low;
  };
  const label = (date) => unit === "year" ? String(date.getFullYear()) : unit === "month" ? monthYear.format(date) : unit === "week" ? `Week of ${fullDay.format(date)}` : fullDay.format(date);
  const axis = (date, index) => {
    const month = format({ month: "short" }).format(date);
    if (unit === "day") return date.getDate() === 1 || index === 0 || date.getDay() === 1 ? `${date.getDate()} ${month}` : "";
    if (unit === "week") return date.getDate() <= 7 ? month : "";
    if (unit === "year") return String(date.getFullYear());
    return date.getMonth() === 0 || index === 0 ? String(date.getFullYear()) : "";
  };
  const makeOverview = () => {
    let shown = -99;
    const room = Math.ceil(46 / Math.max(1, overview.clientWidth / starts.length));
    bars = starts.map((date, index) => {
      const bar = el("button", "bar");
      bar.type = "button";
      bar.tabIndex = index === starts.length - 1 ? 0 : -1;
      bar.dataset.index = index;
      const said = axis(date, index);
      // The first of January takes the place of what stands just before it.
      if (said && index - shown >= room && starts.length - index >= room / 2) { shown = index; bar.dataset.axis = said; }
      if (date.getTime() / 1000 > now) bar.classList.add("late");
      return bar;
    });
    overview.replaceChildren(...bars);
    overview.hidden = starts.length < 2;
  };
  const drawOverview = (rows) => {
    const counts = starts.map(() => new Uint32Array(families.length + 1));
    for (const index of rows) {
      const row = data.rows[index];
      if (row[TIME] === null) continue;
      const count = counts[bucketOf(row[TIME])];
      count[row[FAMILY]] += 1;
      count[families.length] += 1;
    }
    const most = Math.max(1, ...counts.map((count) => count[families.length]));
    bars.forEach((bar, index) => {
      const count = counts[index], total = count[families.length];
      const said = `${label(starts[index])}: ${total.toLocaleString("en")} ${total === 1 ? "update" : "updates"}`;
      bar.title = said;
      bar.setAttribute("aria-label", said);
      const parts = [];
      families.forEach((family, place) => {
        if (!count[place]) return;
        const part = el("i", `f-${family.id}`);
        part.style.height = `${(100 * count[place]) / most}%`;
        parts.push(part);
      });
      if (bar.dataset.axis) { const axisNode = el("b", "", bar.dataset.axis); axisNode.setAttribute("aria-hidden", "true"); parts.push(axisNode); }
      bar.replaceChildren(...parts);
    });
  };
  const goToBar = (bar) => goTo(nextOf(starts[bar.dataset.index]).getTime() / 1000 - 1);
  overview.addEventListener("click", (event) => {
    const bar = event.target.closest(".bar");
    if (bar) goToBar(bar);
  });
  overview.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -bars.length, End: bars.length }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = bars.indexOf(document.activeElement);
    const next = bars[Math.min(bars.length - 1, Math.max(0, at + step))];
    bars.forEach((bar) => { bar.tabIndex = bar === next ? 0 : -1; });
    next.focus();
  });
  let scheduled = false;
  const showPlace = () => {
    scheduled = false;
    const bottom = $("filters").getBoundingClientRect().bottom;
    const box = main.getBoundingClientRect();
    const under = document.elementFromPoint(box.left + box.width / 2, Math.min(innerHeight - 1, Math.max(bottom + 60, box.top + 4)));
    const day = under && under.closest(".day");
    const at = day && day.dataset.day ? bucketOf(new Date(`${day.dataset.day}T12:00:00`).getTime() / 1000) : -1;
    bars.forEach((bar, index) => {
      bar.classList.toggle("here", index === at);
      if (index === at) bar.setAttribute("aria-current", "true"); else bar.removeAttribute("aria-current");
    });
  };
  addEventListener("scroll", () => { if (!scheduled) { scheduled = true; requestAnimationFrame(showPlace); } }, { passive: true });

  // The filters
  const chips = families.map((family) => {
    const chip = el("button", `chip f-${family.id}`, icon(family.id), el("span", "", family.label), el("em"));
    chip.type = "button";
    chip.addEventListener("click", () => {
      if (!state.kinds.delete(family.id)) state.kinds.add(family.id);
      changed();
    });
    return chip;
  });
  const has = families.map(() => false);
  for (const row of data.rows) has[row[FAMILY]] = true;
  const drawChips = () => {
    const counts = families.map(() => 0);
    for (const index of matching(false)) counts[data.rows[index][FAMILY]] += 1;
    chips.forEach((chip, place) => {
      chip.hidden = !has[place];
      chip.setAttribute("aria-pressed", String(state.kinds.has(families[place].id)));
      chip.lastChild.textContent = counts[place].toLocaleString("en");
    });
  };
  const changed = (day) => {
    writeAddress(day);
    const top = $("filters").getBoundingClientRect().top;
    draw();
    if (top <= 0) scrollTo(0, scrollY + main.getBoundingClientRect().top - $("filters").offsetHeight);
    showPlace();
  };
  const showState = () => {
    $("user").value = state.user;
    if ($("user").value !== state.user) { state.user = ""; $("user").value = ""; }
    $("text").value = state.text;
  };
  let typing = 0;
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  $("user").addEventListener("change", () => { state.user = $("user").value; changed(); });
  $("text").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { state.text = $("text").value.trim(); changed(); }, 120);
  });
  $("clear").addEventListener("click", () => {
    state.kinds.clear();
    state.user = state.text = "";
    showState();
    changed();
    $("text").focus();
  });
  const open = (redraw) => {
    const day = readAddress();
    showState();
    if (redraw) draw();
    if (/^\d{4}-\d\d-\d\d$/.test(day || "")) goTo(new Date(`${day}T23:59:59`).getTime() / 1000, day);
    showPlace();
  };
  addEventListener("hashchange", () => { if (location.hash !== "#history") open(true); });
  addEventListener("beforeprint", () => blocks.forEach(fill));

  // The deals
  const makeDeals = () => {
    const section = $("deals"), shown = 4;
    const duration = (seconds) => { const days = Math.round(seconds / 86400); return days < 1 ? "less than a day" : days === 1 ? "1 day" : `${days.toLocaleString("en")} days`; };
    const dealNode = (deal) => {
      const way = el("ol", "way");
      deal.steps.forEach((step, place) => {
        const until = place + 1 < deal.steps.length ? deal.steps[place + 1].since : deal.closed || now;
        const item = el("li");
        const button = el("button", "", step.stage);
        button.type = "button";
        const since = step.since === null ? `until ${fullDay.format(dateOf(until))}` : `since ${fullDay.format(dateOf(step.since))}, for ${duration(until - step.since)}`;
        button.title = `${step.stage}: ${since}`;
        button.setAttribute("aria-label", button.title);
        button.addEventListener("click", () => goTo(step.since === null ? until : step.since));
        item.style.flexGrow = step.since === null ? 1 : Math.max(1, Math.sqrt((until - step.since) / 86400 / 3));
        item.append(button);
        way.append(item);
      });
      if (deal.outcome) {
        const button = el("button", "", deal.outcome);
        button.type = "button";
        button.title = `${deal.outcome} on ${fullDay.format(dateOf(deal.closed))}`;
        button.addEventListener("click", () => goTo(deal.closed));
        way.append(el("li", `end ${deal.outcome}`, button));
      }
      return el("div", "deal", el("h3", "", deal.title), way);
    };
    section.hidden = !data.deals.length;
    data.deals.slice(0, shown).forEach((deal) => section.append(dealNode(deal)));
    if (data.deals.length > shown) {
      const more = el("button", "link more", data.deals.length === shown + 1 ? "Show 1 more deal" : `Show ${data.deals.length - shown} more deals`);
      more.type = "button";
      more.addEventListener("click", () => {
        more.replaceWith(...data.deals.slice(shown).map(dealNode));
      });
      section.append(more);
    }
  };

  // The beginning
  const number = data.rows.length;
  const planned = data.rows.filter((row) => row[PLANNED]).length;
  const past = data.rows.filter((row) => !row[PLANNED] && row[TIME] !== null).map((row) => row[TIME]);
  let oldest = Infinity, newest = -Infinity;
  for (const time of past) { oldest = Math.min(oldest, time); newest = Math.max(newest, time); }
  $("about").textContent = [
    `${number.toLocaleString("en")} ${number === 1 ? "update" : "updates"}`,
    past.length ? `${fullDay.format(dateOf(oldest))} to ${fullDay.format(dateOf(newest))}` : "",
    planned ? `${planned.toLocaleString("en")} planned` : "",
  ].filter(Boolean).join(" · ");
  $("zone").textContent = Intl.DateTimeFormat().resolvedOptions().timeZone || "your time zone";
  if (!number) { $("none").textContent = "There is nothing in this history."; $("none").hidden = false; }
  const uses = new Map();
  for (const row of data.rows) uses.set(row[WHO], (uses.get(row[WHO]) || 0) + 1);
  [...uses].filter(([who]) => data.who[who]).sort((a, b) => b[1] - a[1]).slice(0, 500).forEach(([who, count]) => {
    const option = el("option", "", `${data.who[who]} (${count.toLocaleString("en")})`);
    option.value = data.who[who];
    $("user").append(option);
  });
  $("kinds").append(...chips);
  makeDeals();
  makeOverview();
  // What sticks below the filters has to know how high they are.
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--bar", `${$("filters").offsetHeight}px`);
  }).observe($("filters"));
  readAddress();
  showState();
  draw();
  open(false);
  document.documentElement.dataset.ready = "true";
})();
