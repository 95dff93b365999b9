// A message of Slack, drawn by slack-blocks-to-jsx.
import { Message } from 'slack-blocks-to-jsx';
import 'slack-blocks-to-jsx/dist/style.css';
import { LOGO } from './sender.jsx';

export function SlackMessage({ payload, at, theme }) {
  const blocks = payload.blocks ?? [{ type: 'section', text: { type: 'mrkdwn', text: payload.text } }];
  return <Message blocks={blocks} logo={LOGO} name="ECR Warden" time={at} theme={theme} />;
}
