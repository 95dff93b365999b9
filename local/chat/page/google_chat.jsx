// A message of Google Chat: its cards, in which text may have a few elements of HTML.
import { Sent } from './sender.jsx';

const KNOWN = { B: 'b', I: 'i', U: 'u', S: 's', BR: 'br', CODE: 'code', STRONG: 'b', EM: 'i' };

/** Children as React's own: what is not known counts as its text, and a link leads only to https. */
function kept(nodes) {
  return [...nodes].map((node, number) => {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    const Known = KNOWN[node.nodeName];
    if (Known === 'br') return <br key={number} />;
    if (Known) return <Known key={number}>{kept(node.childNodes)}</Known>;
    const target = node.nodeName === 'A' ? node.getAttribute('href') : null;
    if (target?.startsWith('https://')) return <a key={number} href={target}>{kept(node.childNodes)}</a>;
    return <span key={number}>{kept(node.childNodes)}</span>;
  });
}

function Text({ text, className }) {
  const body = new DOMParser().parseFromString(text ?? '', 'text/html').body;
  return <div className={className}>{kept(body.childNodes)}</div>;
}

function Decorated({ topLabel, text, bottomLabel }) {
  return (
    <div className="decorated">
      {topLabel && <p className="label">{topLabel}</p>}
      <Text text={text} />
      {bottomLabel && <p className="label">{bottomLabel}</p>}
    </div>
  );
}

function Widget({ widget }) {
  if (widget.textParagraph) return <Text text={widget.textParagraph.text} />;
  if (widget.decoratedText) return <Decorated {...widget.decoratedText} />;
  if (widget.divider) return <hr />;
  if (widget.columns) {
    return (
      <div className="columns">
        {widget.columns.columnItems.map(({ widgets }, number) => (
          <div key={number}>{<Widgets widgets={widgets} />}</div>
        ))}
      </div>
    );
  }
  if (widget.buttonList) {
    return (
      <p className="buttons">
        {widget.buttonList.buttons.map(({ text, onClick }, number) => (
          <a key={number} href={onClick?.openLink?.url}>{text}</a>
        ))}
      </p>
    );
  }
  return <pre>{JSON.stringify(widget, null, 1)}</pre>;
}

function Widgets({ widgets }) {
  return (widgets ?? []).map((widget, number) => <Widget key={number} widget={widget} />);
}

function Card({ card }) {
  return (
    <div className="gcard">
      {card.header && (
        <div className="head">
          <b>{card.header.title}</b>
          {card.header.subtitle && <p className="label">{card.header.subtitle}</p>}
        </div>
      )}
      {(card.sections ?? []).map(({ header, widgets }, number) => (
        <div key={number} className="part">
          {header && <Text className="partname" text={header} />}
          <Widgets widgets={widgets} />
        </div>
      ))}
    </div>
  );
}

export function GoogleChatMessage({ payload, at }) {
  return (
    <Sent name="ECR Warden" mark="App" at={at}>
      {payload.text && <p>{payload.text}</p>}
      {(payload.cardsV2 ?? []).map(({ card }, number) => (
        <Card key={number} card={card} />
      ))}
    </Sent>
  );
}
