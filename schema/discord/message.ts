// What a webhook takes, in the words of discord-api-types, which follow Discord's reference; generate.mjs makes a JSON
// Schema of it. Components, attachments, polls and threads of a forum are left out: we send none.
// https://docs.discord.com/developers/resources/webhook#execute-webhook
import type { APIAllowedMentions, APIEmbed } from 'discord-api-types/v10';

export interface Message {
  content?: string;
  username?: string;
  avatar_url?: string;
  tts?: boolean;
  embeds?: APIEmbed[];
  allowed_mentions?: APIAllowedMentions;
}
