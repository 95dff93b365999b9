"""The chat by itself: `python -m local.chat --port 4800 --page-port 4801`."""

import argparse
import contextlib
import threading

from local.chat import Chat


def main() -> None:
    """Serve until interrupted; stdout has the channels' secrets, the authorities' file and the page's address."""
    parser = argparse.ArgumentParser(prog="python -m local.chat", description="Chat products, on this machine")
    parser.add_argument("--port", type=int, default=0, help="of the webhooks (https); any free one by default")
    parser.add_argument("--page-port", type=int, default=0, help="of the page (http); any free one by default")
    arguments = parser.parse_args()
    with Chat(arguments.port, page_port=arguments.page_port) as chat:
        for product, secret in chat.secrets().items():
            print(f"{product:<12}{secret}")
        print(f"{'trust':<12}SSL_CERT_FILE={chat.ca_bundle}\n{'page':<12}{chat.page}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main()
