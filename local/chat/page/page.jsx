// The channel as each product would show it, asked for every second.
// `?theme=dark|light` overrides the system's choice; `?picture` shows the messages alone, once.
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { DiscordMessage } from './discord.jsx';
import { GoogleChatMessage } from './google_chat.jsx';
import { JsonMessage } from './json.jsx';
import { SlackMessage } from './slack.jsx';
import { TeamsMessage } from './teams.jsx';
import './page.css';
import './products.css';

const EVERY = 1000;
const query = new URLSearchParams(location.search);
const system = matchMedia('(prefers-color-scheme: dark)');
const picture = query.has('picture');

const PRODUCTS = {
  slack: { title: 'Slack', Message: SlackMessage },
  slack_bot: { title: 'Slack, by a bot', Message: SlackMessage },
  teams: { title: 'Teams', Message: TeamsMessage },
  discord: { title: 'Discord', Message: DiscordMessage },
  google_chat: { title: 'Google Chat', Message: GoogleChatMessage },
};
const OTHER = { title: 'Webhook', Message: JsonMessage };

function useTheme() {
  const [dark, setDark] = useState(system.matches);
  useEffect(() => {
    const follow = (event) => setDark(event.matches);
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, []);
  return query.get('theme') ?? (dark ? 'dark' : 'light');
}

/** What came before, with what is new or was changed in its place. */
function merged(before, messages) {
  const after = [...before];
  for (const message of messages) after[message.number] = message;
  return after;
}

function useMessages() {
  const [state, setState] = useState({ channel: '', messages: [], live: true });
  useEffect(() => {
    let timer;
    let seen = 0;
    async function ask() {
      try {
        const { channel, changes, messages } = await (await fetch(`messages?after=${seen}`)).json();
        seen = changes;
        if (messages.length > 0) {
          setState((before) => ({ channel, messages: merged(before.messages, messages), live: true }));
        } else {
          setState((before) => (before.live && before.channel ? before : { ...before, channel, live: true }));
        }
      } catch {
        setState((before) => ({ ...before, live: false }));
      }
      if (!picture) timer = setTimeout(ask, EVERY);
    }
    ask();
    return () => clearTimeout(timer);
  }, []);
  return state;
}

/** The messages in the order in which they came, each with those that go on from it. */
function threads(messages) {
  const byName = new Map();
  for (const message of messages) {
    const name = `${message.product} ${message.thread || message.id || message.number}`;
    if (byName.has(name)) byName.get(name).replies.push(message);
    else byName.set(name, { root: message, replies: [] });
  }
  return [...byName.values()];
}

function Post({ message, theme }) {
  const { title, Message } = PRODUCTS[message.product] ?? OTHER;
  return (
    <article className={message.product}>
      {!picture && (
        <p className="product">
          {title} · {message.channel}
        </p>
      )}
      <Message payload={message.payload} at={new Date(message.at)} theme={theme} />
      {message.edited && <p className="edited">(edited)</p>}
    </article>
  );
}

function Thread({ root, replies, theme }) {
  return (
    <section>
      <Post message={root} theme={theme} />
      {replies.length > 0 && (
        <div className="replies">
          {replies.map((reply) => (
            <Post key={reply.number} message={reply} theme={theme} />
          ))}
        </div>
      )}
    </section>
  );
}

function Page() {
  const theme = useTheme();
  const { channel, messages, live } = useMessages();
  const products = new Set(messages.map((message) => message.product));
  useEffect(() => {
    const root = document.documentElement;
    root.dataset.theme = theme;
    root.dataset.product = products.size === 1 ? [...products][0] : '';
    root.classList.toggle('picture', picture);
  });
  useEffect(() => {
    if (!picture) window.scrollTo(0, document.body.scrollHeight);
  }, [messages.length]);
  useEffect(() => {
    const page = document.getElementById('page');
    const measure = new ResizeObserver(() => (document.body.dataset.height = String(page.offsetHeight)));
    measure.observe(page);
    return () => measure.disconnect();
  }, []);
  return (
    <main>
      <header>
        <h1># {channel}</h1>
        <p>
          <i className={live ? 'live' : 'gone'} />
          {live ? `${messages.length} ${messages.length === 1 ? 'message' : 'messages'}` : 'the chat has stopped'}
        </p>
      </header>
      {messages.length === 0 && <p className="empty">Nothing has been posted yet.</p>}
      {threads(messages).map(({ root, replies }) => (
        <Thread key={root.number} root={root} replies={replies} theme={theme} />
      ))}
    </main>
  );
}

createRoot(document.getElementById('page')).render(<Page />);
