// What a machine gets: the payload as it is.
import { Sent } from './sender.jsx';

export function JsonMessage({ payload, at }) {
  return (
    <Sent name="ECR Warden" at={at}>
      <pre>{JSON.stringify(payload, null, 2)}</pre>
    </Sent>
  );
}
