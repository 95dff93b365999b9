"""The chat by itself: `python -m local.chat --port 4800 --page-port 4801`."""

import argparse
import contextlib
import threading

from local.chat import Chat


def main() -> None:
    """Serve until interrupted; stdout has the webhook's URL, the authorities' file and the page's address."""
    parser = argparse.ArgumentParser(
        prog="python -m local.chat", description="Slack's incoming webhook, on this machine"
    )
    parser.add_argument("--port", type=int, default=0, help="of the webhook (https); any free one by default")
    parser.add_argument("--page-port", type=int, default=0, help="of the page (http); any free one by default")
    arguments = parser.parse_args()
    with Chat(arguments.port, page_port=arguments.page_port) as chat:
        print(f"webhook {chat.url}\ntrust   SSL_CERT_FILE={chat.ca_bundle}\npage    {chat.page}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
