// The JSON Schema of a webhook's message, out of the types of npm's discord-api-types.
//
//     node schema/discord/generate.mjs            writes schema/discord/message.schema.json
//     node schema/discord/generate.mjs --print    prints it, for the test that the file is what this makes
//
// The types say limits only in their comments ("Length limit: 256 characters"): they are read from there, and those that
// stand on Discord's pages alone are added by name at the end. That all texts of the embeds together have at most 6,000
// characters can't be said in a schema.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';

const here = dirname(fileURLToPath(import.meta.url));
const LIMIT = /(?:[Ll]imit: |up to )(\d[\d,]*) (?:characters|field objects)/;

/** Puts what a property's comment says into its schema. */
function limited(property) {
  const limit = Number(LIMIT.exec(property.description ?? '')?.[1].replaceAll(',', ''));
  if (!limit) return property;
  return property.type === 'array' ? { ...property, maxItems: limit } : { ...property, maxLength: limit };
}

function walk(schema) {
  if (Array.isArray(schema)) return schema.map(walk);
  if (schema === null || typeof schema !== 'object') return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => key !== 'description' || typeof value !== 'string')
      .map(([key, value]) => [
        key,
        key === 'properties'
          ? Object.fromEntries(Object.entries(value).map(([name, property]) => [name, walk(limited(property))]))
          : walk(value),
      ]),
  );
}

const schema = walk(
  createGenerator({
    path: join(here, 'message.ts'),
    type: 'Message',
    jsDoc: 'extended',
    skipTypeCheck: true,
  }).createSchema('Message'),
);

const { Message, APIEmbed, APIEmbedField, APIEmbedFooter, APIEmbedAuthor } = schema.definitions;
// https://docs.discord.com/developers/resources/webhook#execute-webhook: "up to 2000 characters", "up to 10 embed
// objects"; and a webhook can't set these parts of an embed, which Discord makes of a link that it unfolds.
Message.properties.content.maxLength = 2000;
Message.properties.embeds.maxItems = 10;
for (const part of ['type', 'provider', 'video', 'flags']) delete APIEmbed.properties[part];
// https://docs.discord.com/developers/resources/user#usernames-and-nicknames: a webhook's name has 1 to 80 characters
Object.assign(Message.properties.username, { minLength: 1, maxLength: 80 });
// https://docs.discord.com/developers/resources/message#embed-object: an empty text is refused, and a colour is an
// integer of three bytes
for (const part of [APIEmbedField.properties.name, APIEmbedField.properties.value, APIEmbedFooter.properties.text]) {
  part.minLength = 1;
}
APIEmbedAuthor.properties.name.minLength = 1;
Object.assign(APIEmbed.properties.color, { type: 'integer', minimum: 0, maximum: 0xffffff });
// Only what is still referred to.
const used = new Set(['Message']);
for (const name of used) {
  for (const [, other] of JSON.stringify(schema.definitions[name]).matchAll(/#\/definitions\/([^"]+)/g)) used.add(other);
}
schema.definitions = Object.fromEntries(Object.entries(schema.definitions).filter(([name]) => used.has(name)));

const text = `${JSON.stringify(schema, null, 1)}\n`;
if (process.argv.includes('--print')) process.stdout.write(text);
else writeFileSync(join(here, 'message.schema.json'), text);
