// Who posts, and when: the same in every product that shows it.
export const LOGO = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 36"><rect width="36" height="36" rx="8" fill="#14213d"/>' +
    '<path d="M18 5l10 4v8c0 7-4.300 11.500-10 14C12.300 28.500 8 24 8 17V9z" fill="#f6a800"/>' +
    '<path d="M18 10.500l6 3v6.500l-6 3-6-3v-6.500z" fill="none" stroke="#14213d" stroke-width="2" stroke-linejoin="round"/>' +
    '<path d="M12.200 13.700l5.800 3 5.800-3M18 16.700v6" fill="none" stroke="#14213d" stroke-width="2"/></svg>',
)}`;

export function hour(at) {
  return at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}

/** A message under its sender's picture, name and time. */
export function Sent({ name, at, mark, children }) {
  return (
    <div className="sent">
      <img src={LOGO} alt="" />
      <div className="said">
        <p className="sender">
          <b>{name}</b> {mark && <span className="mark">{mark}</span>} <time>{hour(at)}</time>
        </p>
        {children}
      </div>
    </div>
  );
}
