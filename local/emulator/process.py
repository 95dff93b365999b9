"""The local cloud as a running process. Import it after `environment.prepare`, which ministack's import depends on."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import lambda_runtime

from local.emulator import cloudformation, containers, environment, principals, schedules
from local.emulator.controls import Controls
from local.emulator.delivery import Delivery
from local.emulator.environment import HOST, Settings
from local.emulator.failures import Failures
from local.emulator.gateway import Gateway
from local.registry.advisories import Advisories
from local.registry.clock import Clock
from local.registry.ecr import Ecr
from local.registry.http import App, Message, Receive, Scope, Send
from local.registry.scanner import Scanner
from local.registry.store import Registry

_LAST_WORDS = 2
"""Seconds that requests under way have to end."""


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError where the port is taken."""
    with socket.create_server((HOST, settings.port)) as listener:
        asyncio.run(_serve(settings, listener))
    lambda_runtime.reset()
    sys.stdout.flush()
    os._exit(0)  # pollers of queues sit in threads that can't be told to end


async def _serve(settings: Settings, listener: socket.socket) -> None:
    delivery = Delivery(settings.account, settings.region)
    clock, failures = Clock(), Failures()
    ecr = _ecr(settings, delivery, clock)
    gateway = Gateway(ecr, Controls(ecr, delivery, failures, clock), failures, ministack.app)
    _change_ministack(gateway, ecr)
    stop = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = _LAST_WORDS
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR" if settings.quiet else "WARNING"
    await serve(_announced(gateway, settings), config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    delivery.close()


def _announced(app: App, settings: Settings) -> App:
    """The application, which says so when it has started; requests are taken from then on."""

    async def announced(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_and_say(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                print(f"local cloud ready: {settings.url} {settings.account} {settings.region}", flush=True)

        await app(scope, receive, send_and_say if scope["type"] == "lifespan" else send)

    return announced


def _ecr(settings: Settings, delivery: Delivery, clock: Clock) -> Ecr:
    registry = Registry(
        account=settings.account,
        region=settings.region,
        url=settings.url,
        clock=clock,
        publish=delivery.publish,
        later=_later,
        scanner=Scanner(Advisories.load(settings.advisories)),
    )
    return Ecr(registry, principals.Permissions(settings.account, settings.region).check)


def _change_ministack(gateway: Gateway, ecr: Ecr) -> None:
    ministack.SERVICE_HANDLERS["ecr"] = gateway.ecr_api
    principals.leave_ecr_to_us()
    principals.check_batches_as_singles()
    principals.check_what_ecs_describes()
    principals.call_loopback_secure()
    schedules.fire_as_aws_does()
    cloudformation.provide(ecr)
    containers.pull_from(ecr.registry)
    detect = lambda_runtime._detect_runtime_binary

    def detect_without_venv(runtime: str) -> tuple[str, str]:
        binary, script = detect(runtime)
        return (environment.interpreter() if runtime.startswith("python") else binary), script

    lambda_runtime._detect_runtime_binary = detect_without_venv


def _later(seconds: float, work: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
