// What an incoming webhook takes, in the words of Slack's own types; generate.mjs makes a JSON Schema of it.
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
import type { KnownBlock } from '@slack/types';

export interface Message {
  text?: string;
  blocks?: KnownBlock[];
  mrkdwn?: boolean;
  unfurl_links?: boolean;
  unfurl_media?: boolean;
}
