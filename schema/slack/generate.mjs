// The JSON Schema of an incoming webhook's message, out of Slack's own TypeScript types (npm @slack/types).
//
//     node schema/slack/generate.mjs            writes schema/slack/message.schema.json
//     node schema/slack/generate.mjs --print    prints it, for the test that the file is what this makes
//
// The types say limits only in their comments ("Maximum length for the text in this field is 150 characters"): they are
// read from there. The few that stand in prose, or on other pages of Slack's reference, are added by name at the end.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';

const here = dirname(fileURLToPath(import.meta.url));
const LIMIT = /(?:[Mm]aximum|[Mm]ax)(?: length)?[^.]*?(?:is |of | )(\d[\d,]*)(?: |\.|$)/;

function limitOf(description) {
  const match = LIMIT.exec((description ?? '').replace(/\s+/g, ' '));
  return match && Number(match[1].replaceAll(',', ''));
}

/** Puts what a property's comment says into its schema: of the text itself, or of the `text` in the object that it is. */
function limited(property) {
  const limit = limitOf(property.description);
  if (!limit) return property;
  if (property.type === 'array') return { ...property, maxItems: limit };
  if (property.type === 'string') return { ...property, maxLength: limit };
  if (property.$ref || property.anyOf) {
    return { allOf: [property, { properties: { text: { maxLength: limit } } }] };
  }
  return property;
}

function walk(schema) {
  if (Array.isArray(schema)) return schema.map(walk);
  if (schema === null || typeof schema !== 'object') return schema;
  const walked = Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => key !== 'description' || typeof value !== 'string')
      .map(([key, value]) => [
        key,
        key === 'properties'
          ? Object.fromEntries(Object.entries(value).map(([name, property]) => [name, walk(limited(property))]))
          : walk(value),
      ]),
  );
  return walked;
}

const schema = walk(
  createGenerator({
    path: join(here, 'message.ts'),
    type: 'Message',
    jsDoc: 'basic',
    skipTypeCheck: true,
  }).createSchema('Message'),
);

const types = schema.definitions;
// https://docs.slack.dev/reference/block-kit/blocks: "up to 50 blocks in each message"
types.Message.properties.blocks.maxItems = 50;
// https://docs.slack.dev/reference/methods/chat.postMessage#truncating: longer text is cut
types.Message.properties.text.maxLength = 40_000;
// https://docs.slack.dev/reference/block-kit/blocks/section-block: ten fields (the comment names 2,000 characters first)
types.SectionBlock.properties.fields.maxItems = 10;
types.SectionBlock.properties.fields.items = {
  allOf: [types.SectionBlock.properties.fields.items, { properties: { text: { maxLength: 2000 } } }],
};
types.SectionBlock.properties.text = {
  allOf: [{ $ref: '#/definitions/TextObject' }, { properties: { text: { maxLength: 3000 } } }],
};
// https://docs.slack.dev/reference/block-kit/blocks/markdown-block: "Limit 12,000 characters max"
types.MarkdownBlock.properties.text.maxLength = 12_000;
// "must be more than 0 characters", says Slack of each of these
for (const name of ['PlainTextElement', 'MrkdwnElement', 'RichTextText']) types[name].properties.text.minLength = 1;
for (const name of ['RichTextSection', 'RichTextList', 'RichTextBlock', 'ContextBlock']) {
  types[name].properties.elements.minItems = 1;
}
// A link in rich text is bound as a button's is.
types.RichTextLink.properties.url.maxLength = 3000;

const text = `${JSON.stringify(schema, null, 1)}\n`;
if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(here, 'message.schema.json'), text);
