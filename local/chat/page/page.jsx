// The channel as Slack would show it: messages drawn by slack-blocks-to-jsx, asked for every second.
// `?theme=dark|light` overrides the system's choice; `?picture` shows the messages alone, once.
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { Message } from 'slack-blocks-to-jsx';
import 'slack-blocks-to-jsx/dist/style.css';
import './page.css';

const EVERY = 1000;
const query = new URLSearchParams(location.search);
const system = matchMedia('(prefers-color-scheme: dark)');
const picture = query.has('picture');

const LOGO = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="8" fill="#14213d"/>' +
    '<path d="M18 5l10 4v8c0 7-4.300 11.500-10 14C12.300 28.500 8 24 8 17V9z" fill="#f6a800"/>' +
    '<path d="M18 10.500l6 3v6.500l-6 3-6-3v-6.500z" fill="none" stroke="#14213d" stroke-width="2" stroke-linejoin="round"/>' +
    '<path d="M12.200 13.700l5.800 3 5.800-3M18 16.700v6" fill="none" stroke="#14213d" stroke-width="2"/></svg>',
)}`;

function useTheme() {
  const [dark, setDark] = useState(system.matches);
  useEffect(() => {
    const follow = (event) => setDark(event.matches);
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, []);
  return query.get('theme') ?? (dark ? 'dark' : 'light');
}

function useMessages() {
  const [state, setState] = useState({ channel: '', messages: [], live: true });
  useEffect(() => {
    let timer;
    let count = 0;
    async function ask() {
      try {
        const { channel, messages } = await (await fetch(`messages?after=${count}`)).json();
        count += messages.length;
        setState((before) => ({ channel, messages: [...before.messages, ...messages], live: true }));
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

function blocksOf({ blocks, text }) {
  return blocks ?? [{ type: 'section', text: { type: 'mrkdwn', text } }];
}

function Page() {
  const theme = useTheme();
  const { channel, messages, live } = useMessages();
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    document.documentElement.classList.toggle('picture', picture);
  }, [theme]);
  useEffect(() => {
    if (!picture) window.scrollTo(0, document.body.scrollHeight);
    document.body.dataset.height = String(document.getElementById('page').offsetHeight);
  }, [messages.length]);
  return (
    <main>
      <header>
        <h1># {channel}</h1>
        <p>
          <i className={live ? 'live' : 'gone'} />
          {live ? `${messages.length} ${messages.length === 1 ? 'message' : 'messages'}` : 'the chat has stopped'}
        </p>
      </header>
      {messages.length === 0 && <p className="empty">Nothing has been posted to the webhook yet.</p>}
      {messages.map((message, number) => (
        <article key={number}>
          <Message blocks={blocksOf(message)} logo={LOGO} name="ECR Warden" time={new Date(message.at)} theme={theme} />
        </article>
      ))}
    </main>
  );
}

createRoot(document.getElementById('page')).render(<Page />);
