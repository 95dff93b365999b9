// A card of Teams, drawn by Microsoft's own adaptivecards, with the colours that Teams gives it.
import { AdaptiveCard, HostConfig, SerializationContext, Versions } from 'adaptivecards';
import MarkdownIt from 'markdown-it';
import { useEffect, useRef } from 'react';
import { Sent } from './sender.jsx';

const markdown = new MarkdownIt({ html: false, linkify: false });
AdaptiveCard.onProcessMarkdown = (text, result) => {
  result.outputHtml = markdown.render(text);
  result.didProcess = true;
};

const FONT = '"Segoe UI", "Open Sans", sans-serif';
const COLOURS = {
  light: {
    ink: '#242424',
    soft: '#616161',
    line: '#e1e1e1',
    accent: '#5b5fc7',
    attention: '#c4314b',
    good: '#237b4b',
    warning: '#835c00',
    bands: { default: '#fff', emphasis: '#f5f5f5', attention: '#fcf4f6', warning: '#fbf6d9', good: '#f1faf2', accent: '#e8ebfa' },
  },
  dark: {
    ink: '#fff',
    soft: '#adadad',
    line: '#3d3d3d',
    accent: '#9299f7',
    attention: '#f9526b',
    good: '#92c353',
    warning: '#f8d22a',
    bands: { default: '#292929', emphasis: '#383838', attention: '#3e1f25', warning: '#463100', good: '#1e3b21', accent: '#2f2f4a' },
  },
};

function hostConfig(theme) {
  const colours = COLOURS[theme] ?? COLOURS.light;
  const both = (colour, subtle = colour) => ({ default: colour, subtle });
  const foregroundColors = {
    default: both(colours.ink, colours.soft),
    dark: both(colours.ink, colours.soft),
    light: both(colours.soft),
    accent: both(colours.accent),
    attention: both(colours.attention),
    good: both(colours.good),
    warning: both(colours.warning),
  };
  const bands = Object.entries(colours.bands).map(([name, backgroundColor]) => [name, { backgroundColor, foregroundColors }]);
  return new HostConfig({
    fontFamily: FONT,
    fontTypes: {
      default: { fontFamily: FONT },
      monospace: { fontFamily: 'Consolas, "DejaVu Sans Mono", monospace', fontSizes: { small: 11, default: 13, medium: 13 } },
    },
    spacing: { small: 8, default: 12, medium: 16, large: 20, extraLarge: 24, padding: 16 },
    separator: { lineThickness: 1, lineColor: colours.line },
    fontSizes: { small: 12, default: 14, medium: 14, large: 18, extraLarge: 24 },
    fontWeights: { lighter: 200, default: 400, bolder: 600 },
    lineHeights: { small: 16, default: 20, medium: 20, large: 24, extraLarge: 32 },
    supportsInteractivity: true,
    containerStyles: Object.fromEntries(bands),
    actions: { maxActions: 6, spacing: 'default', buttonSpacing: 8, actionsOrientation: 'horizontal', actionAlignment: 'left' },
    factSet: { title: { weight: 'bolder', wrap: true, maxWidth: 150 }, value: { wrap: true }, spacing: 16 },
    table: { cellSpacing: 8 },
  });
}

function draw(content, theme) {
  const card = new AdaptiveCard();
  card.hostConfig = hostConfig(theme);
  card.parse(content, new SerializationContext(Versions.v1_5));
  return card.render();
}

export function TeamsMessage({ payload, at, theme }) {
  const card = useRef(null);
  useEffect(() => {
    card.current.replaceChildren(draw(payload.attachments[0].content, theme));
  }, [payload, theme]);
  return (
    <Sent name="Workflows" at={at}>
      <div className="card" ref={card} />
    </Sent>
  );
}
