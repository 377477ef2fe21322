/**
 * How a bell looks. Colours follow the page's `color-scheme`; what begins with `--bellwire-` is the
 * page's to set.
 */

const CSS = `
:host {
  --accent: var(--bellwire-accent, light-dark(#0b6e63, #4fd1bd));
  --alert: var(--bellwire-alert, #d6361f);
  --ink: var(--bellwire-ink, light-dark(#1d1c1a, #f1efeb));
  --quiet: var(--bellwire-quiet, light-dark(#68645d, #a8a39a));
  --paper: var(--bellwire-paper, light-dark(#ffffff, #1f1e1c));
  --tint: var(--bellwire-tint, light-dark(#f1f8f6, #1f2b29));
  --hover: light-dark(#0000000d, #ffffff14);
  --line: light-dark(#0000001a, #ffffff21);
  display: inline-block;
  font-family: var(--bellwire-font, system-ui, sans-serif);
  font-size: 14px;
  line-height: 1.4;
  color: var(--ink);
}
:host([hidden]) { display: none; }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button { font: inherit; color: inherit; background: none; border: 0; padding: 0; margin: 0; cursor: pointer; }
button:disabled { cursor: default; opacity: .45; }
a { color: inherit; text-decoration: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
svg {
  width: 1.25em; height: 1.25em; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linecap: round;
  stroke-linejoin: round; display: block;
}
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}

.bell {
  position: relative; display: grid; place-items: center; width: 40px; height: 40px; border-radius: 50%;
  color: inherit; transition: background-color .15s;
}
.bell:hover, .bell[aria-expanded="true"] { background: var(--hover); }
.bell svg { width: 23px; height: 23px; transform-origin: 50% 15%; }
.bell.cut svg { opacity: .45; }
.badge {
  position: absolute; top: 1px; inset-inline-end: 0; min-width: 18px; height: 18px; padding: 0 5px;
  border-radius: 9px; background: var(--accent); color: var(--paper); font-size: 11px; font-weight: 700;
  line-height: 18px; text-align: center; font-variant-numeric: tabular-nums;
}
.badge.unseen { background: var(--alert); color: #fff; }
.rings svg { animation: ring .7s ease-in-out; }
.rings .badge { animation: pop .35s ease-out; }
@keyframes ring { 0%, 100% { rotate: 0deg; } 20% { rotate: 14deg; } 40% { rotate: -11deg; }
  60% { rotate: 7deg; } 80% { rotate: -4deg; } }
@keyframes pop { 0% { scale: .6; } 60% { scale: 1.18; } 100% { scale: 1; } }

.panel {
  position: fixed; inset: auto; top: var(--top, 56px); left: var(--left, 8px); margin: 0; padding: 0;
  width: min(400px, calc(100vw - 16px)); max-height: min(620px, var(--room, 80vh)); overflow: hidden;
  flex-direction: column; color: var(--ink); background: var(--paper); border: 1px solid var(--line);
  border-radius: 14px; box-shadow: 0 16px 48px -12px #0000004d, 0 2px 6px #0000001a;
}
.panel:popover-open { display: flex; opacity: 1; translate: 0 0; }
.panel { opacity: 0; translate: 0 -6px; transition: opacity .12s, translate .12s; }
@starting-style { .panel:popover-open { opacity: 0; translate: 0 -6px; } }
header {
  display: flex; align-items: center; justify-content: space-between; gap: 12px; padding: 14px 16px 10px;
}
h2 { margin: 0; font-size: 16px; font-weight: 650; letter-spacing: -.01em; }
.link {
  color: var(--accent); font-weight: 550; font-size: 13px; padding: 4px 6px; margin: -4px -6px;
  border-radius: 6px; white-space: nowrap;
}
.link:hover:not(:disabled) { background: var(--hover); }
.filters { display: flex; gap: 4px; padding: 0 12px 10px; border-bottom: 1px solid var(--line); }
.filters button { padding: 4px 10px; border-radius: 99px; font-size: 13px; color: var(--quiet); }
.filters button:hover { background: var(--hover); }
.filters button[aria-pressed="true"] { background: var(--hover); color: var(--ink); font-weight: 600; }

.scroll { overflow-y: auto; overscroll-behavior: contain; min-height: 200px; }
ul { list-style: none; margin: 0; padding: 0; }
.row { position: relative; display: flex; align-items: stretch; border-bottom: 1px solid var(--line); }
.row:last-child { border-bottom: 0; }
.row.unread { background: var(--tint); }
.main {
  flex: 1; min-width: 0; display: flex; gap: 12px; padding: 12px 32px 12px 16px; text-align: start;
  cursor: pointer;
}
.main:hover { background: var(--hover); }
.main:focus-visible { outline-offset: -2px; border-radius: 6px; }
.picture {
  flex: none; display: grid; place-items: center; width: 36px; height: 36px; border-radius: 10px;
  object-fit: cover; font-weight: 650; font-size: 15px;
  background: light-dark(hsl(var(--hue, 0) 48% 90%), hsl(var(--hue, 0) 28% 26%));
  color: light-dark(hsl(var(--hue, 0) 60% 27%), hsl(var(--hue, 0) 62% 82%));
}
.text { min-width: 0; display: grid; gap: 2px; flex: 1; }
.title { font-weight: 500; overflow-wrap: anywhere; }
.unread .title { font-weight: 650; }
.body {
  color: var(--quiet); overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical;
  -webkit-line-clamp: 3; overflow: hidden;
}
.meta { display: flex; gap: 6px; min-width: 0; color: var(--quiet); font-size: 12px; white-space: nowrap; }
.category { overflow: hidden; text-overflow: ellipsis; }
.category::before { content: "·"; margin-inline-end: 6px; }
.dot {
  position: absolute; top: 18px; inset-inline-end: 14px; width: 9px; height: 9px; border-radius: 50%;
  background: var(--accent); pointer-events: none;
}
.actions {
  position: absolute; bottom: 8px; inset-inline-end: 10px; display: flex; gap: 2px; border-radius: 8px;
  background: var(--paper); box-shadow: 0 0 0 1px var(--line); opacity: 0;
}
.row:hover .actions, .row:focus-within .actions { opacity: 1; }
.action { padding: 5px; border-radius: 7px; color: var(--quiet); }
.action:hover { color: var(--ink); background: var(--hover); }
@media (hover: none) {
  .meta { margin-top: 6px; padding-inline-end: 60px; }
  .actions { opacity: 1; bottom: 4px; background: none; box-shadow: none; }
  .action { padding: 8px; }
}

.empty {
  display: grid; justify-items: center; align-content: center; gap: 4px; min-height: 200px;
  padding: 24px 32px; text-align: center; color: var(--quiet);
}
.empty svg { width: 34px; height: 34px; stroke-width: 1.3; margin-bottom: 6px; }
.empty strong { color: var(--ink); font-weight: 600; }
.more { display: block; width: 100%; padding: 12px; color: var(--accent); font-weight: 550; }
.more:hover { background: var(--hover); }
.notice {
  display: flex; align-items: center; justify-content: space-between; gap: 12px; padding: 9px 16px;
  font-size: 13px; color: var(--quiet); border-top: 1px solid var(--line);
}
@media (prefers-reduced-motion: reduce) {
  .panel, .bell { transition: none; }
  .rings svg, .rings .badge { animation: none; }
}
`;

/** @type {CSSStyleSheet | undefined} */
let shared;

/** One constructed sheet for all bells of a page: no style element, so no `unsafe-inline`. */
export function sheet() {
  if (shared === undefined) {
    shared = new CSSStyleSheet();
    shared.replaceSync(CSS);
  }
  return shared;
}
