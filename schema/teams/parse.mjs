// What becomes of cards in Microsoft's own parser and renderer (npm adaptivecards).
//
//     node schema/teams/parse.mjs FILE...    messages, one a file
//     node schema/teams/parse.mjs -          a JSON array of messages, on standard input
//
// Prints a JSON array with an object for each: `events` of the parser and the validator, and of the drawn page all its
// `tags`, the `links` that lead somewhere, and the `text`; `fallback` has the same of the card's fallbackText, which a
// client that is too old for the card draws as a TextBlock. Markdown is read by markdown-it at its most willing: HTML let through, bare addresses made links.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Window } from 'happy-dom';
import MarkdownIt from 'markdown-it';

const window = new Window();
globalThis.window = window;
globalThis.document = window.document;
for (const name of ['HTMLElement', 'HTMLButtonElement', 'HTMLAnchorElement', 'HTMLInputElement']) globalThis[name] = window[name];
// How the page would look is of no matter here, and takes most of the time.
const style = { setProperty: () => {}, removeProperty: () => {} };
Object.defineProperty(window.HTMLElement.prototype, 'style', { get: () => style });

const cards = createRequire(import.meta.url)('adaptivecards/dist/adaptivecards.js');
const markdown = new MarkdownIt({ html: true, linkify: true });
cards.AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = markdown.render(text);
  result.didProcess = true;
};

function draw(content) {
  const card = new cards.AdaptiveCard();
  card.hostConfig = new cards.HostConfig({ supportsInteractivity: true, actions: { maxActions: 6 } });
  const context = new cards.SerializationContext(cards.Versions.v1_5);
  card.parse(content, context);
  const events = Array.from({ length: context.eventCount }, (_, index) => context.getEventAt(index).message);
  events.push(...card.validateProperties().validationEvents.map((event) => event.message));
  const page = document.createElement('div');
  const drawn = card.render();
  if (drawn) page.appendChild(drawn);
  const elements = [...page.querySelectorAll('*')];
  return {
    events,
    tags: [...new Set(elements.map((element) => element.tagName.toLowerCase()))].sort(),
    links: elements.flatMap((element) => ['href', 'src'].map((name) => element.getAttribute(name)).filter(Boolean)),
    text: page.textContent,
  };
}

const names = process.argv.slice(2);
const messages =
  names[0] === '-'
    ? JSON.parse(readFileSync(0, 'utf8'))
    : names.map((name) => JSON.parse(readFileSync(name, 'utf8')));
const results = messages.map(({ attachments: [{ content }] }) => ({
  ...draw(content),
  fallback: draw({
    type: 'AdaptiveCard',
    version: '1.5',
    body: [{ type: 'TextBlock', text: content.fallbackText, wrap: true }],
  }),
}));
process.stdout.write(JSON.stringify(results));
await window.happyDOM.close();
