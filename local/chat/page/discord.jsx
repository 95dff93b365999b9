// A message of Discord: its embeds, with Markdown where Discord reads it.
import MarkdownIt from 'markdown-it';
import { Sent } from './sender.jsx';

const markdown = new MarkdownIt({ html: false, linkify: false, breaks: true });

function Marked({ text, className }) {
  return <div className={className} dangerouslySetInnerHTML={{ __html: markdown.render(text) }} />;
}

function Embed({ embed }) {
  const colour = `#${(embed.color ?? 0x202225).toString(16).padStart(6, '0')}`;
  return (
    <div className="embed" style={{ borderLeftColor: colour }}>
      {embed.title && <Marked className="title" text={embed.title} />}
      {embed.description && <Marked text={embed.description} />}
      <div className="fields">
        {(embed.fields ?? []).map(({ name, value, inline }, number) => (
          <div key={number} className={inline ? 'inline' : 'whole'}>
            <Marked className="name" text={name} />
            <Marked text={value} />
          </div>
        ))}
      </div>
      {embed.footer && <p className="foot">{embed.footer.text}</p>}
    </div>
  );
}

export function DiscordMessage({ payload, at }) {
  return (
    <Sent name={payload.username ?? 'ECR Warden'} mark="APP" at={at}>
      {payload.content && <Marked text={payload.content} />}
      {(payload.embeds ?? []).map((embed, number) => (
        <Embed key={number} embed={embed} />
      ))}
    </Sent>
  );
}
